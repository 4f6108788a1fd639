/** What the voxels inside a solid say. Pure. */

import type { Vector } from '../math/coordinates';
import { add, subtract } from '../math/vector';
import { axisOf, mapPoint, mapVector } from './affine';
import { reachOf, type Solid, spanIn, volumeOf } from './solids';
import { FULL, type VolumeData, voxelVolume } from './volume';

export interface SolidStatistics {
  /** Voxels whose centres lie inside; their volume, and the solid's own, mm³. */
  readonly voxels: number;
  readonly voxels_mm3: number;
  readonly volume_mm3: number;
  /** In output units; `null` without a voxel inside. `sd`: of the voxels as a whole (divided by their number). */
  readonly values: {
    readonly mean: number;
    readonly sd: number;
    readonly min: number;
    readonly max: number;
  } | null;
  /** The solid lies inside the volume, and every slice that it touches is there as it was taken. */
  readonly isComplete: boolean;
}

/** Time grows with the solid: some nanoseconds a voxel. */
export function statisticsOf(volume: VolumeData, solid: Solid): SolidStatistics {
  const box = boxOf(volume, solid);
  const sums = {
    count: 0,
    sum: 0,
    squares: 0,
    low: Number.POSITIVE_INFINITY,
    high: Number.NEGATIVE_INFINITY,
  };
  const [columns, rows] = volume.size;
  const step = axisOf(volume.toPatient, 0);
  const pivot = volume.outside; // squares of differences from it stay small enough for exact sums
  for (let z = box.low[2]; z <= box.high[2]; z++) {
    for (let y = box.low[1]; y <= box.high[1]; y++) {
      const [from, to] = spanIn(solid, mapPoint(volume.toPatient, [0, y, z]), step);
      const start = Math.max(box.low[0], Math.ceil(from));
      const end = Math.min(box.high[0], Math.floor(to));
      for (let x = start, i = start + columns * (y + rows * z); x <= end; x++, i++) {
        const value = volume.data[i] - pivot;
        sums.count++;
        sums.sum += value;
        sums.squares += value * value;
        if (value < sums.low) sums.low = value;
        if (value > sums.high) sums.high = value;
      }
    }
  }
  const slices = volume.quality.subarray(box.low[2], box.high[2] + 1);
  return {
    voxels: sums.count,
    voxels_mm3: sums.count * voxelVolume(volume),
    volume_mm3: volumeOf(solid),
    values: valuesOf(volume, sums, pivot),
    isComplete: box.isWhole && slices.every((slice) => slice === FULL),
  };
}

function valuesOf(
  { slope, intercept }: VolumeData,
  {
    count,
    sum,
    squares,
    low,
    high,
  }: { count: number; sum: number; squares: number; low: number; high: number },
  pivot: number,
): SolidStatistics['values'] {
  if (count === 0) return null;
  const mean = sum / count;
  const variance = Math.max(squares / count - mean * mean, 0);
  const output = (stored: number): number => (stored + pivot) * slope + intercept;
  const ends = [output(low), output(high)];
  return {
    mean: output(mean),
    sd: Math.sqrt(variance) * Math.abs(slope),
    min: Math.min(...ends),
    max: Math.max(...ends),
  };
}

interface VoxelBox {
  readonly low: readonly number[];
  readonly high: readonly number[];
  readonly isWhole: boolean;
}

/** The voxels among which those inside are to be looked for. */
function boxOf({ size, toVoxel }: VolumeData, solid: Solid): VoxelBox {
  const centre = mapPoint(toVoxel, solid.centre);
  const reach = reachOf(solid);
  const unit = [0, 1, 2].map((axis) =>
    mapVector(toVoxel, [0, 1, 2].map((i) => (i === axis ? reach[axis] : 0)) as unknown as Vector),
  );
  const half = [0, 1, 2].map(
    (i) => Math.abs(unit[0][i]) + Math.abs(unit[1][i]) + Math.abs(unit[2][i]),
  ) as unknown as Vector;
  const [low, high] = [subtract(centre, half), add(centre, half)];
  return {
    low: low.map((value) => Math.max(0, Math.ceil(value))),
    high: high.map((value, axis) => Math.min(size[axis] - 1, Math.floor(value))),
    isWhole: low.every((value, axis) => value >= -0.5 && high[axis] <= size[axis] - 0.5),
  };
}
