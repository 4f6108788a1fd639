/** Spheres and cuboids on the planes of a volume (K3): drag from the middle outwards; take the middle or the rim to change it. */

import type { SolidAnnotation } from '../../dicom/annotation';
import type { PatientPoint, ScreenPoint } from '../../math/coordinates';
import { normalOf, type Plane, toImage, toPatient } from '../../math/plane';
import { dot, length, scale, subtract } from '../../math/vector';
import type { Solid } from '../../volume/solids';
import type { Drag, Stage, Tool } from '../tool';
import { dragged, type Grip, gripAt, sectionOf } from './section';
import { annotationOf, measure, shapeOf, solidOf } from './solids_of';

const REACH = 22; // CSS pixels: half of what a thumb hits reliably
const SHAKE = 4;

export const sphere = solidTool({
  id: 'sphere',
  label: '球体',
  icon: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM3 12c0 5 18 5 18 0',
  grow: (_plane, centre, to) => ({ kind: 'sphere', centre, radius: length(subtract(to, centre)) }),
});

export const cuboid = solidTool({
  id: 'cuboid',
  label: '立方体',
  icon: 'M4 8l8-4 8 4v8l-8 4-8-4zM4 8l8 4 8-4M12 12v8',
  grow: (plane, centre, to) => {
    const away = subtract(to, centre);
    const [across, along] = [Math.abs(dot(away, plane.right)), Math.abs(dot(away, plane.down))].map((n) =>
      Math.max(n, 0.5),
    );
    // as deep as it is wide and high on the average: the other planes show it, and it is changed there
    const depth = (across + along) / 2;
    return {
      kind: 'cuboid',
      centre,
      axes: [scale(plane.right, across), scale(plane.down, along), scale(normalOf(plane), depth)],
    };
  },
});

export const SOLID_TOOLS: readonly Tool[] = [sphere, cuboid];

interface Description extends Pick<Tool, 'id' | 'label' | 'icon'> {
  /** The solid after the pointer went from the middle to a point of the plane. */
  readonly grow: (plane: Plane, centre: PatientPoint, to: PatientPoint) => Solid;
}

function solidTool({ grow, ...facts }: Description): Tool {
  return {
    ...facts,
    group: 'measure',
    start(stage, from) {
      const { plane } = stage;
      if (!plane || !stage.volume) return null;
      return startEdit(stage, plane, from) ?? startNew(stage, plane, from, grow);
    },
  };
}

function startNew(stage: Stage, plane: Plane, from: ScreenPoint, grow: Description['grow']): Drag | null {
  const { annotations: book, volume } = stage;
  if (!volume || book.isFull) return null;
  const centre = toPatient(plane, stage.toImage(from));
  let draft: SolidAnnotation | null = null;
  return {
    move: (to) => {
      if (Math.hypot(to.x - from.x, to.y - from.y) < SHAKE) return;
      const solid = grow(plane, centre, toPatient(plane, stage.toImage(to)));
      draft = { ...(draft ?? annotationOf(stage.series.uid, solid)), ...shapeOf(solid) };
      book.draft.value = draft;
    },
    end: () => {
      book.draft.value = null;
      if (draft) book.add({ ...draft, measured: measure(volume, solidOf(draft)) });
    },
    cancel: () => {
      book.draft.value = null;
    },
  };
}

function startEdit(stage: Stage, plane: Plane, from: ScreenPoint): Drag | null {
  const { annotations: book, volume } = stage;
  const taken = hitAt(stage, plane, from);
  if (!taken || !volume) return null;
  const { annotation, grip } = taken;
  const start = toPatient(plane, stage.toImage(from));
  book.select(annotation.uid);
  let solid: Solid | null = null;
  return {
    move: (to) => {
      solid = dragged(solidOf(annotation), grip, start, toPatient(plane, stage.toImage(to)));
      book.draft.value = { ...annotation, ...shapeOf(solid), measured: [] };
    },
    end: () => {
      book.draft.value = null;
      if (!solid) return;
      const { points, radius } = shapeOf(solid);
      book.update(annotation.uid, { points, radius, measured: measure(volume, solid) });
    },
    cancel: () => {
      book.draft.value = null;
    },
  };
}

function hitAt(
  stage: Stage,
  plane: Plane,
  at: ScreenPoint,
): { readonly annotation: SolidAnnotation; readonly grip: Grip } | null {
  const project = (point: PatientPoint): ScreenPoint => stage.toScreen(toImage(plane, point));
  for (const annotation of [...stage.annotations.solidsOf(stage.series.uid)].reverse()) {
    const section = sectionOf(solidOf(annotation), plane);
    const grip = section && gripAt(section, at, project, REACH);
    if (grip) return { annotation, grip };
  }
  return null;
}
