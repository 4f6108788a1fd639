/** A block of voxels in the patient. */

import type { mat4 } from 'gl-matrix';
import type { FrameInfo } from '../dicom/manifest';
import type { SampleArray } from '../dicom/samples';
import type { PatientPoint, Vector } from '../math/coordinates';
import { length } from '../math/vector';
import { axisOf, mapPoint } from './affine';

/** A slice as it was taken; below `LOSSY` the width in pixels of the coarse picture that stands there, 0 for nothing yet. */
export const FULL = 255;
/** A slice from a smaller copy: in full size, and its values are not those that were taken. */
export const LOSSY = 254;

export interface VolumeData {
  /** Series instance UID. */
  readonly series: string;
  readonly frame_of_reference: string | null;
  /** Voxels along columns (x), rows (y) and slices (z); `data[x + columns·(y + rows·z)]`. */
  readonly size: readonly [number, number, number];
  readonly data: SampleArray;
  /** Stored value → output unit. */
  readonly slope: number;
  readonly intercept: number;
  readonly unit: string;
  /** Voxel centre (x, y, z) → mm in the patient, and back; a tilted gantry is a shear of it. */
  readonly toPatient: mat4;
  readonly toVoxel: mat4;
  /** Stored value of what lies outside: air. */
  readonly outside: number;
  /** What every slice holds now (`FULL`); changes while the volume is filled. */
  readonly quality: Uint8Array;
  /** A frame of the series whose window, photometric interpretation and names pictures of the volume inherit. */
  readonly template: FrameInfo;
}

/** The middle of the block. */
export function middleOf({ size, toPatient }: VolumeData): PatientPoint {
  return mapPoint(toPatient, size.map((n) => (n - 1) / 2) as unknown as Vector);
}

/** Distances between voxels along the three axes, mm. */
export function spacingOf({ toPatient }: VolumeData): readonly [number, number, number] {
  return [0, 1, 2].map((axis) => length(axisOf(toPatient, axis))) as unknown as [number, number, number];
}

/** The eight corners of the block, voxels' outer faces. */
export function cornersOf({ size, toPatient }: VolumeData): readonly PatientPoint[] {
  const ends = size.map((n) => [-0.5, n - 0.5]);
  return ends[2].flatMap((z) => ends[1].flatMap((y) => ends[0].map((x) => mapPoint(toPatient, [x, y, z]))));
}

/** mm³ of one voxel. */
export function voxelVolume({ toPatient: m }: VolumeData): number {
  return Math.abs(
    m[0] * (m[5] * m[10] - m[6] * m[9]) -
      m[4] * (m[1] * m[10] - m[2] * m[9]) +
      m[8] * (m[1] * m[6] - m[2] * m[5]),
  );
}

/** What a picture of the block is made from, by the worst of its slices. */
export function resolutionOf({ quality }: VolumeData): 'full' | 'lossy' | 'coarse' {
  const worst = quality.reduce((a, b) => Math.min(a, b), FULL);
  return worst === FULL ? 'full' : worst === LOSSY ? 'lossy' : 'coarse';
}

/** Whether every slice is there as it was taken. */
export function isFull({ quality }: VolumeData): boolean {
  return quality.every((slice) => slice === FULL);
}
