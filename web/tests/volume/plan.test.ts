import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SeriesInfo } from '../../src/dicom/manifest';
import { mapPoint } from '../../src/volume/affine';
import { planVolume } from '../../src/volume/plan';
import { VolumeRefused } from '../../src/volume/refusal';
import { range, slicesAt } from './volumes';

function refusal(series: SeriesInfo, budget?: number): string {
  try {
    planVolume(series, budget);
  } catch (error) {
    if (error instanceof VolumeRefused) return error.reason;
    throw error;
  }
  return 'a volume';
}

describe('planVolume', () => {
  it('sorts slices by place, whatever their order and numbers', () => {
    const plan = planVolume(slicesAt([6, 0, 3, 9]));
    expect(plan.sources.map(({ from }) => from)).toEqual([1, 2, 0, 3]);
    expect(plan.size).toEqual([8, 6, 4]);
    expect(mapPoint(plan.toPatient, [0, 0, 0])).toEqual([10, 20, 0]);
    expect(mapPoint(plan.toPatient, [1, 1, 1])).toEqual([11, 22, 3]);
    expect(plan.notices).toEqual([]);
  });

  it('takes voxels back to where they came from, for any direction and tilt', () => {
    const angle = fc.double({ min: -3, max: 3, noNaN: true });
    fc.assert(
      fc.property(angle, angle, fc.double({ min: -0.5, max: 0.5, noNaN: true }), (a, b, tilt) => {
        const right = [Math.cos(a), Math.sin(a), 0] as const;
        const down = [-Math.sin(a) * Math.cos(b), Math.cos(a) * Math.cos(b), Math.sin(b)] as const;
        const normal = [Math.sin(a) * Math.sin(b), -Math.cos(a) * Math.sin(b), Math.cos(b)] as const;
        const place = (i: number): [number, number, number] =>
          [0, 1, 2].map((k) => 5 + i * (2 * normal[k] + tilt * down[k])) as [number, number, number];
        const series = slicesAt(range(5), (_, i) => ({
          position: place(i),
          orientation: [...right, ...down],
        }));
        const plan = planVolume(series);
        for (const i of range(5)) {
          const found = mapPoint(plan.toPatient, [3, 2, i]);
          const expected = place(i).map((v, k) => v + 3 * right[k] + 4 * down[k]);
          for (const k of range(3)) expect(found[k]).toBeCloseTo(expected[k], 6);
          expect(mapPoint(plan.toVoxel, found)[2]).toBeCloseTo(i, 6);
        }
        const degrees = (Math.atan2(Math.abs(tilt), 2) * 180) / Math.PI;
        const codes = plan.notices.map(({ code }) => code);
        if (degrees > 0.2) expect(codes).toEqual(['tilted']);
        if (degrees < 0.05) expect(codes).toEqual([]);
      }),
    );
  });

  it('brings uneven slices to even steps, and says so', () => {
    const plan = planVolume(slicesAt([0, 2, 4, 8, 10]));
    expect(plan.notices).toEqual([{ code: 'resampled', spacing: 2 }]);
    expect(plan.sources).toEqual([
      { from: 0, to: 0, share: 0 },
      { from: 1, to: 1, share: 0 },
      { from: 2, to: 2, share: 0 },
      { from: 2, to: 3, share: 0.5 },
      { from: 3, to: 3, share: 0 },
      { from: 4, to: 4, share: 0 },
    ]);
  });

  it('takes rounded positions for even', () => {
    const plan = planVolume(slicesAt([0, 0.63, 1.25, 1.88, 2.5]));
    expect(plan.notices).toEqual([]);
    expect(mapPoint(plan.toPatient, [0, 0, 4])[2]).toBeCloseTo(2.5);
  });

  it('refuses what would be a wrong picture', () => {
    expect(refusal(slicesAt([0, 2, 4, 20, 22]))).toBe('uneven');
    expect(refusal(slicesAt([0, 2]))).toBe('too_few');
    expect(refusal(slicesAt([0, 2, 2, 4]))).toBe('duplicates');
    expect(refusal(slicesAt(range(4), () => ({ position: null })))).toBe('no_place');
    expect(refusal(slicesAt(range(4), () => ({ orientation: [1, 0, 0, 1, 0, 0] })))).toBe('no_place');
    expect(refusal(slicesAt(range(4), () => ({ samples: 3, photometric: 'RGB' })))).toBe('colour');
    expect(refusal(slicesAt(range(4), (z) => ({ position: [z === 2 ? 30 : 10, 20, z] })))).toBe('scattered');
    expect(refusal(slicesAt(range(4)), 10)).toBe('too_large');
  });

  it('keeps the largest stack of several, and says so', () => {
    const mixed = slicesAt([0, 1, 2, 3, 4, 5, 6], (_, i) =>
      i < 3 ? { orientation: [0, 1, 0, 0, 0, -1] } : {},
    );
    const plan = planVolume(mixed);
    expect(plan.sources.map(({ from }) => from)).toEqual([3, 4, 5, 6]);
    expect(plan.notices).toEqual([{ code: 'part', used: 4, of: 7 }]);
  });

  it('takes one of several acquisitions of the same places, in either order', () => {
    const blocks = planVolume(slicesAt([0, 2, 4, 0, 2, 4]));
    expect(blocks.sources.map(({ from }) => from)).toEqual([0, 1, 2]);
    const interleaved = planVolume(slicesAt([0, 0, 2, 2, 4, 4]));
    expect(interleaved.sources.map(({ from }) => from)).toEqual([0, 2, 4]);
    const kinds = planVolume(
      slicesAt([0, 0, 2, 4, 4, 6], (_, i) => ({ image_type: [i === 0 || i === 3 ? 'PHASE' : 'MAGNITUDE'] })),
    );
    expect(kinds.sources.map(({ from }) => from)).toEqual([1, 2, 4, 5]);
  });

  it('halves pixels to stay within the budget', () => {
    const plan = planVolume(slicesAt(range(4)), 8 * 6 * 4 * 2 - 1);
    expect(plan.size).toEqual([4, 3, 4]);
    expect(plan.notices).toEqual([{ code: 'shrunk', by: 2 }]);
    // the centre of the first four pixels
    expect(mapPoint(plan.toPatient, [0, 0, 0])).toEqual([10.5, 21, 0]);
  });

  it('finds one scale for slices with scales of their own', () => {
    const plan = planVolume(slicesAt(range(3), (z) => ({ slope: 1 + z / 10, intercept: 0, unit: 'BQML' })));
    expect(plan.notices).toEqual([{ code: 'rescaled' }]);
    const { slope, intercept } = plan.scale;
    expect(65535 * slope + intercept).toBeCloseTo(4095 * 1.2);
  });

  it('refuses places that no patient has', () => {
    expect(refusal(slicesAt([5e307, -1e308, 0]))).toBe('scattered');
  });

  it('answers or refuses, whatever the positions are', () => {
    const coordinate = fc.oneof(fc.double(), fc.integer({ min: -3, max: 3 }));
    fc.assert(
      fc.property(fc.array(fc.tuple(coordinate, coordinate, coordinate), { maxLength: 12 }), (places) => {
        const series = slicesAt(
          places.map(() => 0),
          (_, i) => ({ position: places[i] }),
        );
        expect(typeof refusal(series)).toBe('string');
      }),
    );
  });
});
