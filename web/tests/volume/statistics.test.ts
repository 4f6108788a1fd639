import { describe, expect, it } from 'vitest';
import type { PatientPoint, Vector } from '../../src/math/coordinates';
import { distanceTo, normalOf, type Plane } from '../../src/math/plane';
import { type Cuboid, circleIn, polygonIn, type Sphere } from '../../src/volume/solids';
import { statisticsOf } from '../../src/volume/statistics';
import { volumeOf } from './volumes';

const shape = {
  size: [80, 80, 60],
  x: [0.5, 0, 0],
  y: [0, 0.5, 0],
  z: [0, 0.1, 0.7], // a tilted gantry
  origin: [-20, -20, -20],
} as const;
const sphere = (radius: number, centre: PatientPoint = [0, 0, 1]): Sphere => ({
  kind: 'sphere',
  centre,
  radius,
});
const third = Math.sqrt(1 / 3);

describe('statistics', () => {
  it('voxels fill the closed form of a sphere', () => {
    const even = volumeOf(shape, () => 40);
    const found = statisticsOf(even, sphere(10));
    expect(found.volume_mm3).toBeCloseTo((4 / 3) * Math.PI * 1000, 6);
    expect(Math.abs(found.voxels_mm3 / found.volume_mm3 - 1)).toBeLessThan(0.005);
    expect(found.values).toEqual({ mean: 40, sd: 0, min: 40, max: 40 });
    expect(found.isComplete).toBe(true);
  });

  it('and of a cuboid, turned', () => {
    const even = volumeOf(shape, () => 40);
    const turned: Cuboid = {
      kind: 'cuboid',
      centre: [1, 0, 2],
      axes: [
        [4.8, 3.6, 0],
        [-3, 4, 0],
        [0, 0, 7],
      ],
    };
    const found = statisticsOf(even, turned);
    expect(found.volume_mm3).toBeCloseTo(8 * 6 * 5 * 7);
    expect(Math.abs(found.voxels_mm3 / found.volume_mm3 - 1)).toBeLessThan(0.01);
  });

  it('mean and deviation of a ramp are those of calculus', () => {
    // along x: mean of a sphere is its centre, variance r²/5
    const ramp = volumeOf({ size: [121, 121, 121], origin: [-60, -60, -60] }, (x) => x - 60);
    const { values } = statisticsOf({ ...ramp, slope: 2, intercept: 5 }, sphere(40, [0, 0, 0]));
    expect(values?.mean).toBeCloseTo(5, 6);
    expect(Math.abs((values?.sd ?? 0) / (2 * Math.sqrt(1600 / 5)) - 1)).toBeLessThan(0.002);
    expect([values?.min, values?.max]).toEqual([5 - 80, 5 + 80]);
  });

  it('counts what a slow look at every voxel counts', () => {
    const volume = volumeOf({ ...shape, size: [20, 20, 20] }, (x, y, z) => x * y - z);
    const solid = sphere(3.3, [-15, -14, -13]);
    let [count, sum] = [0, 0];
    for (let i = 0; i < volume.data.length; i++) {
      const [x, y, z] = [i % 20, Math.floor(i / 20) % 20, Math.floor(i / 400)];
      const from = [-20 + 0.5 * x + 15, -20 + 0.5 * y + 0.1 * z + 14, -20 + 0.7 * z + 13];
      if (Math.hypot(...from) > 3.3) continue;
      count++;
      sum += volume.data[i];
    }
    const found = statisticsOf(volume, solid);
    expect(found.voxels).toBe(count);
    expect(found.values?.mean).toBeCloseTo(sum / count);
  });

  it('says when a part lies outside or is not there yet', () => {
    const even = volumeOf(shape, () => 40);
    expect(statisticsOf(even, sphere(10, [-15, 0, 0])).isComplete).toBe(false);
    even.quality[40] = 32;
    expect(statisticsOf(even, sphere(20, [0, 0, 1])).isComplete).toBe(false);
    const away = statisticsOf(even, sphere(5, [500, 0, 0]));
    expect([away.voxels, away.values, away.isComplete]).toEqual([0, null, false]);
  });
});

describe('cuts of solids', () => {
  const plane = (origin: PatientPoint, right: Vector, down: Vector): Plane => ({
    origin,
    right,
    down,
    spacing: [1, 1],
  });

  it('a sphere is a circle, or nothing', () => {
    const at = (z: number) => circleIn(sphere(5, [1, 2, 3]), plane([0, 0, z], [1, 0, 0], [0, 1, 0]));
    expect(at(6)).toEqual({ centre: [1, 2, 6], radius: 4 });
    expect(at(8)).toBeNull();
    expect(at(-9)).toBeNull();
  });

  it('a cube is a triangle, a square or a hexagon whose corners lie on plane and cube', () => {
    const cube: Cuboid = {
      kind: 'cuboid',
      centre: [0, 0, 0],
      axes: [
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
      ],
    };
    const r: Vector = [Math.SQRT1_2, -Math.SQRT1_2, 0];
    const d: Vector = [1 / Math.sqrt(6), 1 / Math.sqrt(6), -2 / Math.sqrt(6)];
    const slanted = (shift: number) =>
      plane([shift, shift, shift].map((v) => v * third) as unknown as PatientPoint, r, d);
    for (const [where, sides] of [
      [plane([0, 0, 0.5], [1, 0, 0], [0, 1, 0]), 4],
      [slanted(0), 6],
      [slanted(1.2), 3],
      [plane([0, 0, 1.1], [1, 0, 0], [0, 1, 0]), 0],
    ] as const) {
      const polygon = polygonIn(cube, where);
      expect(polygon).toHaveLength(sides);
      for (const corner of polygon) {
        expect(distanceTo(where, corner)).toBeCloseTo(0);
        expect(Math.max(...corner.map(Math.abs))).toBeCloseTo(1);
      }
    }
    // the regular hexagon: side √2, area 3√3
    const hexagon = polygonIn(cube, slanted(0));
    const normal = normalOf(slanted(0));
    const area = hexagon.reduce((sum, [a, b, c], i) => {
      const [x, y, z] = hexagon[(i + 1) % 6];
      return (
        sum + (normal[0] * (b * z - c * y) + normal[1] * (c * x - a * z) + normal[2] * (a * y - b * x)) / 2
      );
    }, 0);
    expect(Math.abs(area)).toBeCloseTo(3 * Math.sqrt(3));
  });
});
