/** The section of a solid with the plane of a picture: its outline, and the handles by which it is taken. */

import type { PatientPoint, ScreenPoint, Vector } from '../../math/coordinates';
import { distanceTo, normalOf, type Plane } from '../../math/plane';
import { add, dot, length, scale, subtract } from '../../math/vector';
import { circleIn, polygonIn, type Solid } from '../../volume/solids';

/** What a drag of a handle changes: the place, the radius, or one half axis in one of its two directions. */
export type Grip =
  | { readonly part: 'centre' }
  | { readonly part: 'rim' }
  | { readonly part: 'face'; readonly axis: 0 | 1 | 2; readonly sign: 1 | -1 };

export interface Handle {
  readonly at: PatientPoint;
  readonly grip: Grip;
}

export interface Section {
  /** Closed. */
  readonly outline: readonly PatientPoint[];
  readonly handles: readonly Handle[];
}

const STEPS = 72; // corners of a drawn circle: 5°, not seen as corners at any size of a screen

/** `null` where the plane passes by the solid. */
export function sectionOf(solid: Solid, plane: Plane): Section | null {
  const foot = subtract(
    solid.centre,
    scale(normalOf(plane), distanceTo(plane, solid.centre)),
  ) as PatientPoint;
  if (solid.kind === 'sphere') {
    const circle = circleIn(solid, plane);
    if (!circle) return null;
    const around = (angle: number): PatientPoint =>
      add(
        circle.centre,
        add(
          scale(plane.right, circle.radius * Math.cos(angle)),
          scale(plane.down, circle.radius * Math.sin(angle)),
        ),
      ) as PatientPoint;
    const outline = Array.from({ length: STEPS }, (_, i) => around((i * 2 * Math.PI) / STEPS));
    const rim = [0, 1, 2, 3].map((i): Handle => ({ at: around((i * Math.PI) / 2), grip: { part: 'rim' } }));
    return { outline, handles: [{ at: foot, grip: { part: 'centre' } }, ...rim] };
  }
  const outline = polygonIn(solid, plane);
  if (outline.length === 0) return null;
  const faces = solid.axes.flatMap((axis, i) => {
    const inPlane = subtract(axis, scale(normalOf(plane), dot(axis, normalOf(plane))));
    // a half axis that stands on the plane has no end in it to take it by
    if (length(inPlane) < 0.5 * length(axis)) return [];
    return ([1, -1] as const).map(
      (sign): Handle => ({
        at: add(foot, scale(inPlane, sign)) as PatientPoint,
        grip: { part: 'face', axis: i as 0 | 1 | 2, sign },
      }),
    );
  });
  return { outline, handles: [{ at: foot, grip: { part: 'centre' } }, ...faces] };
}

const SMALLEST_MM = 0.5;

/** The solid after a handle was dragged from one point of the plane to another. */
export function dragged(solid: Solid, grip: Grip, from: PatientPoint, to: PatientPoint): Solid {
  if (grip.part === 'centre') {
    return { ...solid, centre: add(solid.centre, subtract(to, from)) as PatientPoint };
  }
  if (solid.kind === 'sphere') {
    return { ...solid, radius: Math.max(length(subtract(to, solid.centre)), SMALLEST_MM) };
  }
  if (grip.part !== 'face') return solid;
  const axis = solid.axes[grip.axis];
  const size = length(axis);
  const reach = Math.max((grip.sign * dot(subtract(to, solid.centre), axis)) / size, SMALLEST_MM);
  const axes = [...solid.axes] as [Vector, Vector, Vector];
  axes[grip.axis] = scale(axis, reach / size);
  return { ...solid, axes };
}

/** The handle nearest to a point of the screen within `reach` CSS pixels; the rim itself counts as a handle. */
export function gripAt(
  section: Section,
  at: ScreenPoint,
  project: (point: PatientPoint) => ScreenPoint,
  reach: number,
): Grip | null {
  const distance = ({ x, y }: ScreenPoint): number => Math.hypot(x - at.x, y - at.y);
  const byDistance = section.handles
    .map(({ at: place, grip }) => ({ grip, distance: distance(project(place)) }))
    .sort((a, b) => a.distance - b.distance);
  if (byDistance[0]?.distance <= reach) return byDistance[0].grip;
  const isOnRim = section.outline.some((point) => distance(project(point)) <= reach / 2);
  return isOnRim && section.handles.some(({ grip }) => grip.part === 'rim') ? { part: 'rim' } : null;
}
