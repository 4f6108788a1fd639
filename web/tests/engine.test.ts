import { describe, expect, it } from 'vitest';
import { defaultVoi, fullRange, greyOf, greyTable, storedValue } from '../src/dicom/voi';
import { paint } from '../src/render/paint';
import { panned, placementOf, toImage, WHOLE_IMAGE, zoomed } from '../src/viewport/view';
import { decoded, frameInfo } from './samples';

const none = { tables: [] };

describe('geometry', () => {
  const frame = frameInfo({ rows: 100, columns: 200 });
  const stage = { width: 400, height: 800 };

  it('fits the whole image into the stage', () => {
    expect(placementOf(frame, WHOLE_IMAGE, stage)).toEqual({ a: 2, b: 0, c: -0, d: 2, e: 0, f: 300 });
  });

  it('stretches pixels that are not square', () => {
    const tall = frameInfo({ rows: 100, columns: 200, spacing: [2, 1] });
    expect(placementOf(tall, WHOLE_IMAGE, stage)).toMatchObject({ a: 2, d: 4 });
  });

  it('keeps the point under the anchor when it zooms', () => {
    const anchor = { x: 100, y: 350 };
    const before = toImage(placementOf(frame, WHOLE_IMAGE, stage), anchor);
    const after = toImage(placementOf(frame, zoomed(frame, WHOLE_IMAGE, stage, 3, anchor), stage), anchor);
    expect(after.x).toBeCloseTo(before.x);
    expect(after.y).toBeCloseTo(before.y);
  });

  it('moves the image with the finger, and never loses it', () => {
    const moved = placementOf(frame, panned(frame, WHOLE_IMAGE, stage, 30, -20), stage);
    expect(moved.e).toBeCloseTo(30);
    expect(moved.f).toBeCloseTo(280);
    expect(panned(frame, WHOLE_IMAGE, stage, 1e6, -1e6).centre).toEqual({ x: 0, y: 1 });
  });

  it('shows the same on screens of different size', () => {
    const view = { zoom: 2, centre: { x: 0.3, y: 0.6 }, rotation: 30, flipped: true };
    const points = [stage, { width: 800, height: 1600 }].map((size) =>
      toImage(placementOf(frame, view, size), { x: size.width / 4, y: size.height / 4 }),
    );
    expect(points[0].x).toBeCloseTo(points[1].x);
    expect(points[0].y).toBeCloseTo(points[1].y);
  });
});

describe('window', () => {
  it('is the linear function of PS3.3 C.11.2.1.2.1', () => {
    // its note 4: center 2048, width 4096 is the identity of 12-bit values onto the whole range
    const voi = { center: 2048, width: 4096 };
    expect(greyOf(0, voi)).toBe(0);
    expect(greyOf(4095, voi)).toBe(255);
    expect(greyOf(2047.5, voi)).toBeCloseTo(127.5);
    // center 2048, width 1 is a step between 2047 and 2048
    expect(greyOf(2047, { center: 2048, width: 1 })).toBe(0);
    expect(greyOf(2048, { center: 2048, width: 1 })).toBe(255);
  });

  it('is exact below a width of 1', () => {
    expect(greyOf(0.25, { center: 0.25, width: 0.5 })).toBeCloseTo(127.5);
    expect(greyOf(0.6, { center: 0.25, width: 0.5 })).toBe(255);
  });

  it('looks at the stored bits only, with their sign', () => {
    const twelve = frameInfo({ bits_stored: 12, signed: true });
    expect(storedValue(0xf7ff, twelve)).toBe(2047);
    expect(storedValue(0x0800, twelve)).toBe(-2048);
    expect(storedValue(0xf800, frameInfo({ bits_stored: 12, signed: false }))).toBe(2048);
    const table = greyTable(
      frameInfo({ intercept: -1024, signed: false }),
      { voi: { center: 40, width: 400 }, isInverted: false, usesVoiLut: false },
      { tables: [] },
    );
    expect([table[0], table[1064], table[65535]]).toEqual([0, 128, 255]);
  });

  it('is in a table what the function says, for every bit pattern', () => {
    for (const voi_function of ['LINEAR', 'LINEAR_EXACT'] as const)
      for (const [center, width, slope, intercept, bits_stored, signed] of [
        [40, 400, 1, -1024, 12, false],
        [40, 1, 1, 0, 12, true],
        [0.25, 0.5, 0.001, 0, 16, true],
        [-600, 1500, 2.5, 7, 16, true],
        [2048, 4096, 1, 0, 12, false],
      ] as const) {
        const frame = frameInfo({ bits_stored, signed, slope, intercept, voi_function });
        const voi = { center, width };
        for (const isInverted of [false, true]) {
          const table = greyTable(frame, { voi, isInverted, usesVoiLut: false }, { tables: [] });
          const told = new Uint8ClampedArray(table.length);
          for (let bits = 0; bits < told.length; bits++) {
            const grey = greyOf(storedValue(bits, frame) * slope + intercept, voi, voi_function);
            told[bits] = isInverted ? 255 - grey : grey;
          }
          expect(table.findIndex((level, bits) => level !== told[bits])).toBe(-1);
        }
      }
  });

  it('comes from the object, else from the values', () => {
    const data = Int16Array.of(-100, 50, 299);
    expect(defaultVoi(frameInfo({ center: [40, 1], width: [400, 2] }), data, none)).toEqual({
      center: 40,
      width: 400,
    });
    const range = { center: 100, width: 400 };
    expect(defaultVoi(frameInfo({ center: [40], width: [0] }), data, none)).toEqual(range);
    expect(fullRange(frameInfo(), data, none)).toEqual(range);
    expect(fullRange(frameInfo({ slope: 2, intercept: 10 }), data, none)).toEqual({
      center: 210,
      width: 800,
    });
    expect(fullRange(frameInfo(), Int16Array.of(5, 5), none).width).toBe(1);
  });
});

describe('paint', () => {
  const look = { voi: { center: 128, width: 256 }, isInverted: false, usesVoiLut: false };
  const words = (frame: ReturnType<typeof decoded>, info: Parameters<typeof frameInfo>[0]): string[] => {
    const pixels = new Uint32Array(frame.data.length / (info?.samples ?? 1));
    paint(frame, frameInfo({ rows: 1, columns: pixels.length, ...info }), look, none, pixels);
    return Array.from(pixels, (word) => word.toString(16));
  };

  it('paints grey, and MONOCHROME1 the other way round', () => {
    const data = Int16Array.of(-5, 0, 64, 255, 9999);
    expect(words(decoded(data), {})).toEqual(['ff000000', 'ff000000', 'ff404040', 'ffffffff', 'ffffffff']);
    expect(words(decoded(data, 'MONOCHROME1'), {})).toEqual([
      'ffffffff',
      'ffffffff',
      'ffbfbfbf',
      'ff000000',
      'ff000000',
    ]);
  });

  it('paints 32-bit values', () => {
    const info = { bits_allocated: 32, bits_stored: 32, slope: 0.001 };
    expect(words(decoded(Int32Array.of(0, 64_000, 1_000_000)), info)).toEqual([
      'ff000000',
      'ff404040',
      'ffffffff',
    ]);
  });

  it('paints colour of 8 and of 16 bits, and YBR_FULL as RGB', () => {
    const rgb = { samples: 3, bits_allocated: 8, bits_stored: 8 };
    expect(words(decoded(Uint8Array.of(1, 2, 3), 'RGB'), rgb)).toEqual(['ff030201']);
    const deep = { samples: 3, signed: false };
    expect(words(decoded(Uint16Array.of(0x1ff, 0x2ff, 0x3ff), 'RGB'), deep)).toEqual(['ff030201']);
    expect(words(decoded(Uint8Array.of(76, 85, 255), 'YBR_FULL'), rgb)).toEqual(['ff0000fe']); // red
  });

  it('refuses colours that it does not know', () => {
    expect(() => words(decoded(Int16Array.of(1), 'PALETTE COLOR'), {})).toThrow(/PALETTE/);
  });
});
