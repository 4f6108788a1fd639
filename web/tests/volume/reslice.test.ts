import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planeOf } from '../../src/dicom/frame_plane';
import type { PatientPoint, Vector } from '../../src/math/coordinates';
import { toPatient } from '../../src/math/plane';
import { mapPoint } from '../../src/volume/affine';
import { reslice, type SliceRequest, slabSamples } from '../../src/volume/reslice';
import { middleOf } from '../../src/volume/volume';
import { volumeOf } from './volumes';

const axial: SliceRequest = {
  centre: [3.5, 2.5, 2],
  right: [1, 0, 0],
  down: [0, 1, 0],
  columns: 8,
  rows: 6,
  spacing: [1, 1],
  slab_mm: 0,
  blend: 'mean',
};
const volume = volumeOf({ size: [8, 6, 5] }, (x, y, z) => x + 10 * y + 100 * z);

describe('reslice', () => {
  it('is the slice itself on the planes of the slices', () => {
    const { frame, decoded } = reslice(volume, axial);
    expect([...decoded.data]).toEqual([...volume.data.subarray(2 * 48, 3 * 48)]);
    expect(frame).toMatchObject({ position: [0, 0, 2], orientation: [1, 0, 0, 0, 1, 0], signed: true });
  });

  it('is linear between voxels, exact in a linear field, on any plane', () => {
    const sheared = volumeOf(
      { size: [20, 20, 20], x: [0.8, 0, 0], y: [0, 0.9, 0.1], z: [0.2, 0.3, 1.5], origin: [-5, 4, 3] },
      (x, y, z) => 10 * x + 7 * y - 9 * z,
    );
    const angle = fc.double({ min: -3, max: 3, noNaN: true });
    fc.assert(
      fc.property(angle, angle, angle, (a, b, shift) => {
        const right: Vector = [Math.cos(a), Math.sin(a), 0];
        const down: Vector = [-Math.sin(a) * Math.cos(b), Math.cos(a) * Math.cos(b), Math.sin(b)];
        const centre = middleOf(sheared).map((v) => v + shift) as unknown as PatientPoint;
        const request = {
          ...axial,
          centre,
          right,
          down,
          columns: 40,
          rows: 40,
          spacing: [0.7, 0.6] as const,
        };
        const { frame, decoded } = reslice(sheared, request);
        const plane = planeOf(frame);
        if (!plane) throw new Error('the cut has no place');
        let inside = 0;
        for (let r = 0; r < 40; r++) {
          for (let c = 0; c < 40; c++) {
            const voxel = mapPoint(sheared.toVoxel, toPatient(plane, { x: c + 0.5, y: r + 0.5 }));
            const value = decoded.data[r * 40 + c];
            if (voxel.every((v) => v >= 0 && v <= 19)) {
              inside++;
              expect(Math.abs(value - (10 * voxel[0] + 7 * voxel[1] - 9 * voxel[2]))).toBeLessThan(0.51);
            } else if (voxel.some((v) => v < -0.501 || v > 19.501)) {
              expect(value).toBe(-1024);
            }
          }
        }
        expect(inside).toBeGreaterThan(50);
      }),
      { numRuns: 30 },
    );
  });

  it('keeps the outermost value up to the faces of the volume, and air beyond', () => {
    const request = { ...axial, centre: [3.5, 0, -0.45] as PatientPoint, columns: 10, rows: 1 };
    expect([...reslice(volume, request).decoded.data]).toEqual([-1024, 0, 1, 2, 3, 4, 5, 6, 7, -1024]);
    const beyond = { ...request, centre: [3.5, 0, -0.55] as PatientPoint };
    expect(new Set(reslice(volume, beyond).decoded.data)).toEqual(new Set([-1024]));
  });

  it('joins the samples of a slab; what lies outside does not count', () => {
    const at = (slab_mm: number, blend: SliceRequest['blend'], z = 2): number =>
      reslice(volume, { ...axial, centre: [3.5, 2.5, z], slab_mm, blend }).decoded.data[0];
    expect(slabSamples(volume, [0, 0, 1], 2)).toBe(3);
    expect([at(2, 'min'), at(2, 'mean'), at(2, 'max')]).toEqual([100, 200, 300]);
    expect([at(4, 'min', 4), at(4, 'mean', 4)]).toEqual([200, 300]);
    const falling = { ...volume, slope: -1 };
    expect(reslice(falling, { ...axial, slab_mm: 2, blend: 'max' }).decoded.data[0]).toBe(100);
  });

  it('refuses a picture without end', () => {
    expect(() => reslice(volume, { ...axial, columns: 1e6 })).toThrow(RangeError);
    expect(() => reslice(volume, { ...axial, rows: 0 })).toThrow(RangeError);
  });
});
