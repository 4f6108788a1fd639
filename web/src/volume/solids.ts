/** Spheres and cuboids in the patient: what a plane cuts out of them, and what they hold. Pure; mm. */

import type { PatientPoint, Vector } from '../math/coordinates';
import { distanceTo, normalOf, type Plane } from '../math/plane';
import { add, cross, dot, scale, subtract } from '../math/vector';

export interface Sphere {
  readonly kind: 'sphere';
  readonly centre: PatientPoint;
  readonly radius: number;
}

export interface Cuboid {
  readonly kind: 'cuboid';
  readonly centre: PatientPoint;
  /** From the centre to the middles of three faces, at right angles. */
  readonly axes: readonly [Vector, Vector, Vector];
}

export type Solid = Sphere | Cuboid;

/** mm³. */
export function volumeOf(solid: Solid): number {
  if (solid.kind === 'sphere') return (4 / 3) * Math.PI * solid.radius ** 3;
  const [a, b, c] = solid.axes;
  return 8 * Math.abs(dot(a, cross(b, c)));
}

const TOUCH = 1e-9;

/** The part [from, to] of the line `start + t · step` inside the solid; empty (`from` > `to`) when it passes by. */
export function spanIn(solid: Solid, start: Vector, step: Vector): readonly [number, number] {
  const from = subtract(start, solid.centre);
  if (solid.kind === 'sphere') {
    const a = dot(step, step);
    const half = dot(from, step) / a;
    const square = half * half - (dot(from, from) - solid.radius ** 2) / a;
    if (square < -TOUCH) return [1, 0];
    const reach = Math.sqrt(Math.max(square, 0)) + TOUCH;
    return [-half - reach, -half + reach];
  }
  let [low, high] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (const axis of solid.axes) {
    const whole = dot(axis, axis);
    const [at, by] = [dot(from, axis) / whole, dot(step, axis) / whole];
    if (Math.abs(by) < TOUCH) {
      if (Math.abs(at) > 1 + TOUCH) return [1, 0];
      continue;
    }
    const ends = [(-1 - at) / by, (1 - at) / by];
    low = Math.max(low, Math.min(...ends));
    high = Math.min(high, Math.max(...ends));
  }
  return [low - TOUCH, high + TOUCH];
}

/** Half of the box, parallel to the axes of the patient, that the solid just fits into. */
export function reachOf(solid: Solid): Vector {
  if (solid.kind === 'sphere') return [solid.radius, solid.radius, solid.radius];
  const [a, b, c] = solid.axes;
  return [0, 1, 2].map((i) => Math.abs(a[i]) + Math.abs(b[i]) + Math.abs(c[i])) as unknown as Vector;
}

export interface Circle {
  readonly centre: PatientPoint;
  readonly radius: number;
}

/** The circle in which the plane cuts the sphere; `null` when it passes by. */
export function circleIn(sphere: Sphere, plane: Plane): Circle | null {
  const distance = distanceTo(plane, sphere.centre);
  const square = sphere.radius ** 2 - distance ** 2;
  if (square <= 0) return null;
  const centre = subtract(sphere.centre, scale(normalOf(plane), distance)) as PatientPoint;
  return { centre, radius: Math.sqrt(square) };
}

const SIGNS = [-1, 1] as const;

/** The eight corners; corner i has the signs of the bits of i. */
export function cornersOf({ centre, axes: [a, b, c] }: Cuboid): readonly PatientPoint[] {
  return SIGNS.flatMap((z) =>
    SIGNS.flatMap((y) =>
      SIGNS.map((x) => add(add(add(centre, scale(a, x)), scale(b, y)), scale(c, z)) as PatientPoint),
    ),
  );
}

/** Pairs of corners that differ in one sign. */
export const EDGES: readonly (readonly [number, number])[] = [1, 2, 4].flatMap((bit) =>
  [0, 1, 2, 3, 4, 5, 6, 7].filter((i) => !(i & bit)).map((i) => [i, i | bit] as const),
);

/** The convex polygon (3 to 6 corners, in order) in which the plane cuts the cuboid; empty when it passes by. */
export function polygonIn(cuboid: Cuboid, plane: Plane): readonly PatientPoint[] {
  const corners = cornersOf(cuboid);
  const heights = corners.map((corner) => distanceTo(plane, corner));
  const found = EDGES.flatMap(([i, k]) => {
    if (heights[i] < 0 === heights[k] < 0) return [];
    const share = heights[i] / (heights[i] - heights[k]);
    return [add(corners[i], scale(subtract(corners[k], corners[i]), share)) as PatientPoint];
  });
  if (found.length < 3) return [];
  return inOrder(found, plane);
}

function inOrder(points: readonly PatientPoint[], { right, down }: Plane): readonly PatientPoint[] {
  const sum = points.reduce<Vector>((a, b) => add(a, b), [0, 0, 0]);
  const middle = scale(sum, 1 / points.length);
  const angle = (point: PatientPoint): number =>
    Math.atan2(dot(subtract(point, middle), down), dot(subtract(point, middle), right));
  return [...points].sort((a, b) => angle(a) - angle(b));
}
