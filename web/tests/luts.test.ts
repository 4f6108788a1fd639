import { describe, expect, it } from 'vitest';
import { lookUp, readLut } from '../src/dicom/luts';
import { autoWindow, greyOf, greyTable } from '../src/dicom/voi';
import { paint } from '../src/render/paint';
import { decoded, frameInfo } from './samples';

function table(first: number, bits: number, ...entries: number[]) {
  const bytes = new Uint8Array(Uint16Array.from(entries).buffer);
  return { first, bits, data: btoa(String.fromCharCode(...bytes)) };
}

describe('look-up tables', () => {
  it('take the first and last entry beyond their ends (PS3.3 C.11.1.1.1)', () => {
    const lut = readLut(table(-2, 8, 10, 20, 30));
    expect([-99, -2, -1, 0, 99].map((value) => lookUp(lut, value))).toEqual([10, 10, 20, 30, 30]);
  });

  it.each([
    { first: 0, bits: 8, data: '' },
    { first: 0, bits: 8, data: btoa('abc') },
    { first: 0.5, bits: 8, data: btoa('ab') },
    { first: 0, bits: 17, data: btoa('ab') },
  ])('that are none are refused: %o', (bad) => {
    expect(() => readLut(bad)).toThrow(expect.objectContaining({ kind: 'damaged' }));
  });

  it('of the modality stand before the window, of the VOI in its place', () => {
    const tables = [table(0, 8, 100, 50, 0), table(0, 8, 0, 255)];
    const frame = frameInfo({ signed: false, modality_lut: 0 });
    const look = { voi: { center: 50.5, width: 101 }, isInverted: false, usesVoiLut: false };
    expect([...greyTable(frame, look, { tables }).slice(0, 3)]).toEqual([255, 128, 0]);
    const withVoi = frameInfo({ signed: false, voi_lut: 1 });
    expect([...greyTable(withVoi, { ...look, usesVoiLut: true }, { tables }).slice(0, 3)]).toEqual([
      0, 255, 255,
    ]);
    expect(() => greyTable(frameInfo({ voi_lut: 7 }), { ...look, usesVoiLut: true }, { tables })).toThrow(
      /table 7/,
    );
  });

  it('of a palette give colours', () => {
    const tables = [table(0, 16, 0, 65535), table(0, 16, 65535, 0), table(0, 16, 0, 0)];
    const frame = frameInfo({ bits_allocated: 8, bits_stored: 8, signed: false, palette: [0, 1, 2] });
    const pixels = new Uint32Array(2);
    const look = { voi: { center: 0, width: 1 }, isInverted: false, usesVoiLut: false };
    paint(decoded(Uint8Array.of(0, 1), 'PALETTE COLOR'), frame, look, { tables }, pixels);
    expect([...pixels].map((word) => word.toString(16))).toEqual(['ff00ff00', 'ff0000ff']);
  });

  it('sigmoid windows are PS3.3 C.11.2.1.3.1', () => {
    expect(greyOf(40, { center: 40, width: 400 }, 'SIGMOID')).toBeCloseTo(127.5);
    expect(greyOf(140, { center: 40, width: 400 }, 'SIGMOID')).toBeCloseTo(255 / (1 + Math.exp(-1)));
  });

  it('an automatic window leaves out the rare extremes', () => {
    const data = new Int16Array(1000).map((_, i) => 100 + (i % 100));
    data[0] = -30000;
    data[1] = 30000;
    const { center, width } = autoWindow(frameInfo(), data, { tables: [] });
    expect(width).toBeLessThan(110);
    expect(center).toBeCloseTo(150, -1);
  });
});
