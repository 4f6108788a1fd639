import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PatientPoint, Vector } from '../../src/math/coordinates';
import { dot, subtract } from '../../src/math/vector';
import {
  axesOf,
  type Camera,
  cameraFrom,
  magnified,
  project,
  readCamera,
  seenFrom,
  shifted,
  trackballed,
  unproject,
  VIEWS,
} from '../../src/render/volume/camera';
import { castRows } from '../../src/render/volume/cpu_caster';
import {
  ENTRIES,
  firstLook,
  PRESETS,
  rangeOf,
  readLook,
  tableOf,
  type VolumeLook,
  WHOLE,
} from '../../src/render/volume/look';
import { pickSurface } from '../../src/render/volume/pick';
import { changedSlices, planTexture, texelsOf } from '../../src/render/volume/texture';
import { volumeOf } from './volumes';

const stage = { width: 64, height: 48 };
const MIDDLE = 15.5;
/** A ball of bone, radius 8 mm, 6 mm to the left and 4 mm to the head of the middle, in air. */
const CENTRE: PatientPoint = [6, 0, 4];
const ball = volumeOf({ size: [32, 32, 32], origin: [-MIDDLE, -MIDDLE, -MIDDLE] }, (x, y, z) =>
  Math.hypot(x - MIDDLE - 6, y - MIDDLE, z - MIDDLE - 4) <= 8 ? 1200 : -1000,
);

function isSquare(camera: Camera): void {
  const { right, down, inwards } = axesOf(camera);
  for (const [a, b, expected] of [
    [right, right, 1],
    [down, down, 1],
    [right, down, 0],
    [right, inwards, 0],
    [down, inwards, 0],
  ] as const) {
    expect(dot(a, b)).toBeCloseTo(expected, 5);
  }
}

describe('camera', () => {
  it('stands where its letter says', () => {
    const towards: Record<(typeof VIEWS)[number], Vector> = {
      A: [0, 1, 0],
      P: [0, -1, 0],
      L: [-1, 0, 0],
      R: [1, 0, 0],
      H: [0, 0, -1],
      F: [0, 0, 1],
    };
    for (const side of VIEWS) {
      const { inwards } = axesOf(seenFrom(cameraFrom(ball, 'A'), side));
      for (const i of [0, 1, 2]) expect(inwards[i]).toBeCloseTo(towards[side][i], 6);
    }
  });

  it('brings points to the screen and back, and shows all of the volume', () => {
    const camera = cameraFrom(ball, 'L');
    const at = { x: 10, y: 40 };
    const back = project(camera, stage, unproject(camera, stage, at));
    expect([back.x, back.y].map((v) => Math.round(v * 1e6) / 1e6)).toEqual([10, 40]);
    for (const corner of [
      [-16, -16, -16],
      [16, 16, 16],
    ] as PatientPoint[]) {
      const { x, y } = project(camera, stage, corner);
      expect(x > 0 && x < stage.width && y > 0 && y < stage.height).toBe(true);
    }
  });

  it('turns what is in front with the pointer, and stays a rotation', () => {
    const camera = cameraFrom(ball, 'A');
    const front: PatientPoint = [0, -10, 0];
    const before = project(camera, stage, front);
    expect(project(trackballed(camera, stage, 5, 0), stage, front).x).toBeGreaterThan(before.x);
    expect(project(trackballed(camera, stage, 0, 5), stage, front).y).toBeGreaterThan(before.y);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: -90, max: 90 }), fc.integer({ min: -90, max: 90 }))),
        (ways) => {
          isSquare(ways.reduce((now, [dx, dy]) => trackballed(now, stage, dx, dy), camera));
        },
      ),
    );
  });

  it('moves and magnifies about what is under the pointer', () => {
    const camera = cameraFrom(ball, 'A');
    const moved = shifted(camera, stage, 7, -3);
    const [from, to] = [camera, moved].map((one) => project(one, stage, CENTRE));
    expect([to.x - from.x, to.y - from.y].map(Math.round)).toEqual([7, -3]);
    const anchor = { x: 50, y: 10 };
    const fixed = unproject(camera, stage, anchor);
    const after = project(magnified(camera, stage, 3, anchor), stage, fixed);
    expect(after.x).toBeCloseTo(50, 4);
    expect(after.y).toBeCloseTo(10, 4);
  });

  it('takes over what came from elsewhere only when it is one', () => {
    const camera = cameraFrom(ball, 'A');
    expect(readCamera(JSON.parse(JSON.stringify(camera))).span_mm).toBe(camera.span_mm);
    for (const wrong of [null, {}, { ...camera, centre: [1, 2] }, { ...camera, rotation: [0, 0, 0, 0] }]) {
      expect(() => readCamera(wrong)).toThrow(RangeError);
    }
    fc.assert(
      fc.property(fc.anything(), (written) => {
        const look = readLook(written, ball);
        expect(PRESETS.some(({ id }) => id === look.preset)).toBe(true);
        tableOf(look, [0, 1]);
      }),
    );
  });
});

describe('looks', () => {
  it('are tables with the colours of their points, and windows move them', () => {
    const bone = firstLook(ball);
    const table = tableOf(bone, rangeOf(ball));
    expect([table.low, table.high]).toEqual([150, 1500]);
    expect([...table.rgba.subarray(4 * (ENTRIES - 1))]).toEqual([
      255,
      252,
      240,
      Math.round(255 * Math.sqrt(0.9)),
    ]);
    expect(table.rgba[3]).toBe(0);
    const shifted = tableOf({ ...bone, window: { center: 500, width: 200 } }, rangeOf(ball));
    expect([shifted.low, shifted.high]).toEqual([400, 600]);
  });

  it('know the values of a volume without a scale, but for its extremes', () => {
    const mr = { ...volumeOf({ size: [40, 40, 40] }, (x) => (x === 0 ? 30000 : x)), unit: '' };
    mr.data[5] = -30000;
    const [low, high] = rangeOf({ ...mr, data: mr.data.map((v) => (v > 100 ? 39 : v)) });
    expect([low, high]).toEqual([1, 39]);
  });
});

describe('casting without a card', () => {
  const paint = (look: VolumeLook, camera: Camera, step = 1): Uint32Array => {
    const pixels = new Uint32Array(stage.width * stage.height);
    const table = tableOf(look, rangeOf(ball));
    castRows({ volume: ball, camera, look, table, step }, stage, 0, stage.height, pixels);
    return pixels;
  };
  const isLit = (pixels: Uint32Array, x: number, y: number): boolean =>
    (pixels[y * stage.width + x] & 255) > 60;

  it('shows the ball where it is projected, from every side', () => {
    for (const look of [firstLook(ball), { ...firstLook(ball), preset: 'mip' }]) {
      for (const side of VIEWS) {
        const camera = cameraFrom(ball, side);
        const pixels = paint(look, camera);
        const at = project(camera, stage, CENTRE);
        const radius = (8 / camera.span_mm) * stage.height;
        let [x, y, count] = [0, 0, 0];
        for (let row = 0; row < stage.height; row++) {
          for (let column = 0; column < stage.width; column++) {
            if (!isLit(pixels, column, row)) continue;
            x += column + 0.5;
            y += row + 0.5;
            count++;
          }
        }
        expect(Math.abs(x / count - at.x)).toBeLessThan(0.5);
        expect(Math.abs(y / count - at.y)).toBeLessThan(0.5);
        expect(Math.abs(count / (Math.PI * radius ** 2) - 1)).toBeLessThan(0.15);
      }
    }
  });

  it('leaves out what was cropped', () => {
    const camera = cameraFrom(ball, 'A');
    const right = { ...firstLook(ball), crop: [[0, 0.3], WHOLE[1], WHOLE[2]] as const };
    expect(paint(right, camera).every((word) => (word & 0xffffff) === 0)).toBe(true);
  });

  it('picks the front of what is seen', () => {
    const camera = cameraFrom(ball, 'A');
    const state = { camera, look: firstLook(ball) };
    const at = project(camera, stage, CENTRE);
    const found = pickSurface(ball, state, stage, at);
    expect(found).not.toBeNull();
    const [x, y, z] = subtract(found ?? [0, 0, 0], CENTRE);
    expect(Math.hypot(x, z)).toBeLessThan(0.1);
    expect(y).toBeGreaterThan(-9.5);
    expect(y).toBeLessThan(-6);
    expect(pickSurface(ball, state, stage, { x: 2, y: 2 })).toBeNull();
  });
});

describe('texture', () => {
  it('shrinks until it fits, and means voxels', () => {
    const volume = volumeOf({ size: [8, 4, 3] }, (x, y, z) => x + 100 * y + 1000 * z);
    expect(planTexture(volume, [0, 65535], 2048, 1e6)).toMatchObject({ by: [1, 1, 1], size: [8, 4, 3] });
    const small = planTexture(volume, [0, 65535], 4, 24);
    expect(small.size.every((n) => n <= 4)).toBe(true);
    expect(small.size[0] * small.size[1] * small.size[2]).toBeLessThanOrEqual(24);
    const half = { by: [2, 1, 1] as const, size: [4, 4, 3] as const, low: 0, high: 65535 };
    const bytes = texelsOf(volume, half, 1);
    expect(bytes[2 * 5] * 256 + bytes[2 * 5 + 1]).toBe(Math.round(2.5 + 100 + 1000));
  });

  it('clamps to its range', () => {
    const volume = volumeOf({ size: [3, 1, 3] }, (x) => [-5000, 0, 5000][x]);
    const plan = planTexture(volume, [-1000, 1000], 2048, 1e6);
    expect([...texelsOf(volume, plan, 0)]).toEqual([0, 0, 128, 0, 255, 255]);
  });

  it('finds the slices that changed, once', () => {
    const volume = volumeOf({ size: [2, 2, 5] }, () => 0);
    const plan = { by: [1, 1, 2] as const, size: [2, 2, 3] as const, low: 0, high: 1 };
    const before = Uint8Array.from(volume.quality);
    volume.quality[3] = 32;
    expect(changedSlices(volume, plan, before)).toEqual([1]);
    expect(changedSlices(volume, plan, before)).toEqual([]);
  });
});
