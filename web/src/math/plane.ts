/** A plane of pixels in the patient (PS3.3 C.7.6.2.1.1): what joins image and space. */

import type { ImagePoint, PatientPoint, Vector } from './coordinates';
import { add, cross, dot, scale, subtract } from './vector';

export interface Plane {
  /** The CENTRE of the first pixel, mm. */
  readonly origin: PatientPoint;
  /** Unit vectors: along a row (x grows) and down a column (y grows). */
  readonly right: Vector;
  readonly down: Vector;
  /** Row spacing (downwards) and column spacing (to the right), mm. */
  readonly spacing: readonly [number, number];
}

export function normalOf(plane: Plane): Vector {
  return cross(plane.right, plane.down);
}

export function toPatient(plane: Plane, point: ImagePoint): PatientPoint {
  const along = scale(plane.right, (point.x - 0.5) * plane.spacing[1]);
  return add(add(plane.origin, along), scale(plane.down, (point.y - 0.5) * plane.spacing[0])) as PatientPoint;
}

/** The foot of the perpendicular from `point`, in pixels of the plane. */
export function toImage(plane: Plane, point: PatientPoint): ImagePoint {
  const from = subtract(point, plane.origin);
  return {
    x: dot(from, plane.right) / plane.spacing[1] + 0.5,
    y: dot(from, plane.down) / plane.spacing[0] + 0.5,
  };
}

/** Signed distance of `point` from the plane along its normal, mm. */
export function distanceTo(plane: Plane, point: PatientPoint): number {
  return dot(subtract(point, plane.origin), normalOf(plane));
}
