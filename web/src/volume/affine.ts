/** Affine maps in double precision: gl-matrix works on plain arrays of 16 numbers, and its own default is single. */

import { mat4, vec3 } from 'gl-matrix';
import type { PatientPoint, Vector } from '../math/coordinates';

type Numbers16 = Extract<mat4, readonly unknown[]>;

/** The map (i, j, k) → origin + i·x + j·y + k·z. */
export function affineOf(x: Vector, y: Vector, z: Vector, origin: Vector): mat4 {
  return [...x, 0, ...y, 0, ...z, 0, ...origin, 1] as unknown as Numbers16;
}

/** Raises `RangeError` when the map is flat. */
export function inverseOf(map: mat4): mat4 {
  const inverse = mat4.invert(new Array(16).fill(0) as unknown as Numbers16, map);
  if (!inverse) throw new RangeError('a flat map has no inverse');
  return inverse;
}

export function mapPoint(map: mat4, point: Vector): PatientPoint {
  return vec3.transformMat4([0, 0, 0], point as [number, number, number], map) as unknown as PatientPoint;
}

/** A displacement: the map without its origin. */
export function mapVector(map: mat4, [x, y, z]: Vector): Vector {
  return [
    map[0] * x + map[4] * y + map[8] * z,
    map[1] * x + map[5] * y + map[9] * z,
    map[2] * x + map[6] * y + map[10] * z,
  ];
}

/** Where the axis 0, 1 or 2 leads. */
export function axisOf(map: mat4, axis: number): Vector {
  return [map[4 * axis], map[4 * axis + 1], map[4 * axis + 2]];
}
