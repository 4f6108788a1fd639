/** Three planes through one point, at right angles, upright or turned together: what MPR shows. JSON, so that it is shared. */

import { clamp, type PatientPoint, type Vector } from '../math/coordinates';
import { add, cross, dot, scale, subtract } from '../math/vector';
import { type Blend, MOST_PIXELS, type SliceRequest } from './reslice';
import { cornersOf, middleOf, spacingOf, type VolumeData } from './volume';

export const CUTS = ['axial', 'coronal', 'sagittal'] as const;
export type Cut = (typeof CUTS)[number];

export interface Mpr {
  /** What all planes share: where the crosshair is. */
  readonly point: PatientPoint;
  /** Unit vectors at right angles: where left, back and head are when nothing is turned. */
  readonly axes: readonly [Vector, Vector, Vector];
  readonly slab_mm: number;
  readonly blend: Blend;
}

/** Rows and columns of each cut along the axes, as radiologists look: from the feet, from the front, from the left. */
const DIRECTIONS: Record<Cut, { readonly right: Vector; readonly down: Vector }> = {
  axial: { right: [1, 0, 0], down: [0, 1, 0] },
  coronal: { right: [1, 0, 0], down: [0, 0, -1] },
  sagittal: { right: [0, 1, 0], down: [0, 0, -1] },
};

/** Upright planes through the middle. */
export function firstMpr(volume: VolumeData): Mpr {
  return {
    point: middleOf(volume),
    axes: [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ],
    slab_mm: 0,
    blend: 'mean',
  };
}

export function directionsOf({ axes }: Mpr, cut: Cut): { right: Vector; down: Vector; normal: Vector } {
  const along = ([x, y, z]: Vector): Vector =>
    add(add(scale(axes[0], x), scale(axes[1], y)), scale(axes[2], z));
  const { right, down } = DIRECTIONS[cut];
  return { right: along(right), down: along(down), normal: cross(along(right), along(down)) };
}

/**
 * The cut that holds the whole volume, with square pixels as fine as its finest voxels. `coarseness` 2 halves the
 * pixels in both directions: while the plane moves.
 */
export function requestOf(volume: VolumeData, mpr: Mpr, cut: Cut, coarseness = 1): SliceRequest {
  const { right, down, normal } = directionsOf(mpr, cut);
  const [width, height] = [extentOf(volume, right), extentOf(volume, down)];
  const longest = Math.max(width.high - width.low, height.high - height.low);
  const pixel = Math.max(Math.min(...spacingOf(volume)), longest / MOST_PIXELS) * coarseness;
  const count = ({ low, high }: Extent): number => clamp(Math.round((high - low) / pixel), 1, MOST_PIXELS);
  const middle = add(
    add(scale(right, (width.low + width.high) / 2), scale(down, (height.low + height.high) / 2)),
    scale(normal, dot(mpr.point, normal)),
  );
  return {
    centre: middle as PatientPoint,
    right,
    down,
    columns: count(width),
    rows: count(height),
    spacing: [pixel, pixel],
    slab_mm: mpr.slab_mm,
    blend: mpr.blend,
  };
}

interface Extent {
  readonly low: number;
  readonly high: number;
}

function extentOf(volume: VolumeData, direction: Vector): Extent {
  const along = cornersOf(volume).map((corner) => dot(corner, direction));
  return { low: Math.min(...along), high: Math.max(...along) };
}

/** A cut as a stack to scroll through: how many steps it has, and where the point is among them. */
export interface CutStack {
  readonly count: number;
  readonly index: number;
}

/** Steps of one voxel along the normal; the first one at the head, in front, at the left. */
export function stackOf(volume: VolumeData, mpr: Mpr, cut: Cut): CutStack {
  const { low, high, step, at } = depthOf(volume, mpr, cut);
  const count = Math.max(1, Math.floor((high - low) / step));
  const index = clamp(Math.floor((at - low) / step), 0, count - 1);
  return { count, index: counted(cut, index, count) };
}

/** The axial normal leads to the head, where that stack begins. */
function counted(cut: Cut, index: number, count: number): number {
  return cut === 'axial' ? count - 1 - index : index;
}

/** The planes after the cut was scrolled to step `index`. */
export function scrolled(volume: VolumeData, mpr: Mpr, cut: Cut, index: number): Mpr {
  const { low, step, at } = depthOf(volume, mpr, cut);
  const { count } = stackOf(volume, mpr, cut);
  const to = low + (counted(cut, clamp(index, 0, count - 1), count) + 0.5) * step;
  const { normal } = directionsOf(mpr, cut);
  return { ...mpr, point: add(mpr.point, scale(normal, to - at)) as PatientPoint };
}

function depthOf(volume: VolumeData, mpr: Mpr, cut: Cut): Extent & { step: number; at: number } {
  const { normal } = directionsOf(mpr, cut);
  const step = 1 / Math.max(...[0, 1, 2].map((axis) => shareOf(volume, normal, axis)));
  return { ...extentOf(volume, normal), step, at: dot(mpr.point, normal) };
}

/** Voxels per mm along the axis, in direction `normal`. */
function shareOf({ toVoxel: m }: VolumeData, normal: Vector, axis: number): number {
  return Math.abs(m[axis] * normal[0] + m[4 + axis] * normal[1] + m[8 + axis] * normal[2]);
}

/** The planes with another common point, kept inside the volume's box. */
export function moved(volume: VolumeData, mpr: Mpr, point: PatientPoint): Mpr {
  const from = middleOf(volume);
  let kept: Vector = from;
  for (const axis of mpr.axes) {
    const { low, high } = extentOf(volume, axis);
    kept = add(kept, scale(axis, clamp(dot(point, axis), low, high) - dot(from, axis)));
  }
  return { ...mpr, point: kept as PatientPoint };
}

/** The planes turned about the normal of `cut`, clockwise on its picture: the other two cuts become oblique. */
export function turned(mpr: Mpr, cut: Cut, degrees: number): Mpr {
  const { normal } = directionsOf(mpr, cut);
  const [x, y] = [turn(mpr.axes[0], normal, degrees), turn(mpr.axes[1], normal, degrees)];
  return { ...mpr, axes: squaredAxes(x, y) };
}

/** Rodrigues' formula: `v` turned about the unit vector `axis`, from right to down for a picture's normal. */
function turn(v: Vector, axis: Vector, degrees: number): Vector {
  const angle = (degrees * Math.PI) / 180;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return add(add(scale(v, cos), scale(cross(axis, v), sin)), scale(axis, dot(axis, v) * (1 - cos)));
}

/** Unit vectors at right angles again, after many small turns. */
function squaredAxes(x: Vector, y: Vector): Mpr['axes'] {
  const right = scale(x, 1 / Math.hypot(...x));
  const back = subtract(y, scale(right, dot(y, right)));
  const down = scale(back, 1 / Math.hypot(...back));
  return [right, down, cross(right, down)];
}
