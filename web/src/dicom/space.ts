/** Series in one space: which slice holds a point, and where one picture cuts another (E18–E20). Pure. */

import type { PatientPoint, Vector } from '../math/coordinates';
import { distanceTo, normalOf, type Plane, toImage, toPatient } from '../math/plane';
import { dot } from '../math/vector';
import { planeOf } from './frame_plane';
import type { FrameInfo, SeriesInfo } from './manifest';

/** Whether positions of both series mean the same place (PS3.3 C.7.4.1). */
export function sharesSpace(a: SeriesInfo, b: SeriesInfo): boolean {
  return a.frame_of_reference !== null && a.frame_of_reference === b.frame_of_reference;
}

/** What positions of a series are relative to: its frame of reference; without one, nothing but itself. */
export function spaceOf({ frame_of_reference, uid }: SeriesInfo): string {
  return frame_of_reference ?? uid;
}

/**
 * The frame whose plane is nearest to `point` among those that hold it within their edges; of all frames when none
 * does. `null` when no frame has a place.
 */
export function frameNear(series: SeriesInfo, point: PatientPoint): number | null {
  let best: { index: number; distance: number; isInside: boolean } | null = null;
  series.frames.forEach((frame, index) => {
    const plane = planeOf(frame);
    if (!plane) return;
    const distance = Math.abs(distanceTo(plane, point));
    const isInside = isOn(frame, plane, point);
    if (!best || (isInside && !best.isInside) || (isInside === best.isInside && distance < best.distance)) {
      best = { index, distance, isInside };
    }
  });
  return (best as { index: number } | null)?.index ?? null;
}

function isOn(frame: FrameInfo, plane: Plane, point: PatientPoint): boolean {
  const { x, y } = toImage(plane, point);
  return x >= 0 && y >= 0 && x <= frame.columns && y <= frame.rows;
}

/** Half the way to the next slice, mm: how far from a plane a point still counts as lying in it. */
export function halfStep(series: SeriesInfo, index: number): number {
  const plane = planeOf(series.frames[index]);
  if (!plane) return 0;
  const steps = [index - 1, index + 1]
    .map((i) => series.frames[i]?.position)
    .filter((position) => !!position)
    .map((position) => Math.abs(distanceTo(plane, position as PatientPoint)));
  return Math.max(...steps, 1) / 2;
}

/** The middle of the frame, in the patient. */
export function centreOf(frame: FrameInfo, plane: Plane): PatientPoint {
  return toPatient(plane, { x: frame.columns / 2, y: frame.rows / 2 });
}

/**
 * The segment along which the rectangle of `other` cuts the plane `onto`; `null` when it does not reach it or lies
 * nearly parallel (below 5°: the line would jump over the picture).
 */
export function cutLine(
  onto: Plane,
  other: Plane,
  size: { readonly columns: number; readonly rows: number },
): readonly [PatientPoint, PatientPoint] | null {
  if (Math.abs(dot(normalOf(onto), normalOf(other))) > Math.cos((5 * Math.PI) / 180)) return null;
  const corners = [
    toPatient(other, { x: 0, y: 0 }),
    toPatient(other, { x: size.columns, y: 0 }),
    toPatient(other, { x: size.columns, y: size.rows }),
    toPatient(other, { x: 0, y: size.rows }),
  ];
  const found: PatientPoint[] = [];
  corners.forEach((from, i) => {
    const to = corners[(i + 1) % 4];
    const [a, b] = [distanceTo(onto, from), distanceTo(onto, to)];
    if (a < 0 === b < 0) return;
    const share = a / (a - b);
    found.push(from.map((v, k) => v + (to[k] - v) * share) as unknown as PatientPoint);
  });
  return found.length === 2 ? [found[0], found[1]] : null;
}

/** The frame of `series` that lies as far along its normal as `position`, in another study's space by `offset` mm. */
export function frameAlong(series: SeriesInfo, normal: Vector, position: number): number | null {
  let best: number | null = null;
  let least = Number.POSITIVE_INFINITY;
  series.frames.forEach((frame, index) => {
    if (!frame.position) return;
    const distance = Math.abs(dot(frame.position, normal) - position);
    if (distance < least) [best, least] = [index, distance];
  });
  return best;
}
