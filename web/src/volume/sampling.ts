/** Trilinear sampling of voxels along straight rows: the inner loops of reslicing. Voxel (0, 0, 0) has its centre there. */

import type { Vector } from '../math/coordinates';
import type { VolumeData } from './volume';

/** Columns [from, to) of a row that lie inside the volume. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

const STILL = 1e-6; // voxels per row: below it a row runs along an axis
const NOTHING: Span = { from: 0, to: 0 };

/**
 * Samples `start + c · step` for every column c of `line` that lies inside (to the outer faces of the voxels, where the
 * outermost value holds); writes stored values, and answers which columns were written.
 */
export function sampleRow(volume: VolumeData, start: Vector, step: Vector, line: Float32Array): Span {
  const span = spanInside(start, step, line.length, volume.size, 0.5);
  if (span.to <= span.from) return NOTHING;
  const moving = step.map((share) => Math.abs(share) * line.length > STILL);
  const axis = moving.indexOf(true);
  if (moving.filter(Boolean).length <= 1) alongAxis(volume, start, step, Math.max(axis, 0), line, span);
  else slanted(volume, start, step, line, span);
  return span;
}

/** Columns whose samples are within [−margin, n − 1 + margin] on all axes. */
function spanInside(
  start: Vector,
  step: Vector,
  columns: number,
  size: VolumeData['size'],
  margin: number,
): Span {
  let [from, to] = [0, columns];
  for (let axis = 0; axis < 3; axis++) {
    const [low, high] = [-margin - STILL, size[axis] - 1 + margin + STILL];
    if (Math.abs(step[axis]) * columns <= STILL) {
      if (start[axis] < low || start[axis] > high) return NOTHING;
      continue;
    }
    const ends = [(low - start[axis]) / step[axis], (high - start[axis]) / step[axis]];
    from = Math.max(from, Math.ceil(Math.min(...ends)));
    to = Math.min(to, Math.floor(Math.max(...ends)) + 1);
  }
  return { from, to };
}

/** A row along one axis: the other two coordinates, and so their weights, are the same for all columns. */
function alongAxis(
  { data, size }: VolumeData,
  start: Vector,
  step: Vector,
  axis: number,
  line: Float32Array,
  span: Span,
): void {
  const strides = [1, size[0], size[0] * size[1]];
  const others = [0, 1, 2].filter((other) => other !== axis);
  const [first, second] = others.map((other) => neighbours(start[other], size[other], strides[other]));
  const [stride, count] = [strides[axis], size[axis]];
  // the voxels of the axis joined across it, once; and the last one again, so that it has a neighbour
  const joined = new Float32Array(count + 1);
  for (const [a, shareA] of first) {
    for (const [b, shareB] of second) {
      const weight = shareA * shareB;
      for (let k = 0, i = a + b; k < count; k++, i += stride) joined[k] += weight * data[i];
    }
  }
  joined[count] = joined[count - 1];
  const [from, by] = [start[axis], step[axis]];
  for (let c = span.from; c < span.to; c++) {
    const at = Math.min(Math.max(from + c * by, 0), count - 1);
    const below = at | 0;
    line[c] = joined[below] + (joined[below + 1] - joined[below]) * (at - below);
  }
}

/** Offsets and weights of the two voxels around a coordinate; one where it lies on a voxel. */
function neighbours(at: number, count: number, stride: number): readonly (readonly [number, number])[] {
  const inside = Math.min(Math.max(at, 0), count - 1);
  const below = Math.floor(inside + STILL);
  const share = inside - below;
  if (share <= STILL || below >= count - 1) return [[below * stride, 1]];
  return [
    [below * stride, 1 - share],
    [(below + 1) * stride, share],
  ];
}

function slanted(volume: VolumeData, start: Vector, step: Vector, line: Float32Array, span: Span): void {
  const { data, size } = volume;
  const [dx, dy, dz] = step;
  const [x0, y0, z0] = start;
  const [row, slice] = [size[0], size[0] * size[1]];
  // inside the centres of the outermost voxels all eight neighbours exist
  const core = spanInside(start, step, line.length, [size[0], size[1], size[2]], -2 * STILL);
  const from = Math.min(Math.max(core.from, span.from), span.to);
  const to = Math.max(Math.min(core.to, span.to), from);
  for (let c = span.from; c < from; c++) line[c] = sampleAt(volume, at(start, step, c));
  for (let c = to; c < span.to; c++) line[c] = sampleAt(volume, at(start, step, c));
  for (let c = from; c < to; c++) {
    const x = x0 + c * dx;
    const y = y0 + c * dy;
    const z = z0 + c * dz;
    const ix = x | 0;
    const iy = y | 0;
    const iz = z | 0;
    const fx = x - ix;
    const fy = y - iy;
    const i = ix + iy * row + iz * slice;
    const a = data[i] + (data[i + 1] - data[i]) * fx;
    const b = data[i + row] + (data[i + row + 1] - data[i + row]) * fx;
    const j = i + slice;
    const d = data[j] + (data[j + 1] - data[j]) * fx;
    const e = data[j + row] + (data[j + row + 1] - data[j + row]) * fx;
    const near = a + (b - a) * fy;
    line[c] = near + (d + (e - d) * fy - near) * (z - iz);
  }
}

function at(start: Vector, step: Vector, c: number): Vector {
  return [start[0] + c * step[0], start[1] + c * step[1], start[2] + c * step[2]];
}

/** The stored value at a voxel coordinate; outside the outermost voxels their value holds. */
export function sampleAt({ data, size }: VolumeData, voxel: Vector): number {
  const [xs, ys, zs] = voxel.map((value, axis) =>
    neighbours(value, size[axis], axis === 0 ? 1 : axis === 1 ? size[0] : size[0] * size[1]),
  );
  let sum = 0;
  for (const [z, shareZ] of zs) {
    for (const [y, shareY] of ys) {
      for (const [x, shareX] of xs) sum += data[x + y + z] * shareX * shareY * shareZ;
    }
  }
  return sum;
}

/** Whether a voxel coordinate lies inside the outer faces of the volume. */
export function isInside({ size }: VolumeData, voxel: Vector): boolean {
  return voxel.every((value, axis) => value >= -0.5 && value <= size[axis] - 0.5);
}
