/** Spheres and cuboids in a rendered volume (K3): put on what is seen, moved in the plane of the screen, made larger by their rim. */

import type { SolidAnnotation } from '../../dicom/annotation';
import type { PatientPoint, ScreenPoint, Vector } from '../../math/coordinates';
import { add, length, scale, subtract } from '../../math/vector';
import { axesOf, pixelOf } from '../../render/volume/camera';
import type { AnnotationBook } from '../../viewport/annotations/book';
import type { VolumeViewport } from '../../viewport/volume_viewport';
import { cornersOf, type Solid } from '../../volume/solids';
import type { Drag } from '../tool';
import { annotationOf, measure, shapeOf, solidOf } from './solids_of';

const REACH = 22; // CSS pixels: half of what a thumb hits reliably
const SMALLEST_MM = 0.5;
const FIRST_PIXELS = 24; // radius after a tap: what a finger can take hold of

/** The pointer went down: takes a solid by its middle or rim, else puts a new one on what is seen there. */
export function dragSolid(
  viewport: VolumeViewport,
  book: AnnotationBook,
  kind: Solid['kind'],
  from: ScreenPoint,
): Drag | null {
  return editUnder(viewport, book, from) ?? place(viewport, book, kind, from);
}

/** The circle on the screen by which a solid is taken: around its middle, through its farthest corner. */
export function rimOf(viewport: VolumeViewport, solid: Solid): { centre: ScreenPoint; radius: number } {
  const centre = viewport.project(solid.centre);
  if (solid.kind === 'sphere') {
    return { centre, radius: solid.radius / pixelOf(viewport.camera, viewport.stage) };
  }
  const away = cornersOf(solid).map((corner) => distance(viewport.project(corner), centre));
  return { centre, radius: Math.max(...away) };
}

function editUnder(viewport: VolumeViewport, book: AnnotationBook, from: ScreenPoint): Drag | null {
  for (const annotation of [...book.solidsOf(viewport.volume.series)].reverse()) {
    const solid = solidOf(annotation);
    const { centre, radius } = rimOf(viewport, solid);
    const away = distance(from, centre);
    // a small solid leaves its middle half as much room as its rim
    if (away <= Math.min(REACH, Math.max(radius / 2, REACH / 2))) {
      const start = viewport.unproject(from);
      return edit(viewport, book, annotation, (to) => {
        const by = subtract(viewport.unproject(to), start);
        return { ...solid, centre: add(solid.centre, by) as PatientPoint };
      });
    }
    if (Math.abs(away - radius) <= REACH) {
      return edit(viewport, book, annotation, (to) => sized(solid, distance(to, centre) / away));
    }
  }
  return null;
}

function sized(solid: Solid, factor: number): Solid {
  if (solid.kind === 'sphere') return { ...solid, radius: Math.max(solid.radius * factor, SMALLEST_MM) };
  const least = SMALLEST_MM / Math.min(...solid.axes.map(length));
  const [a, b, c] = solid.axes.map((axis) => scale(axis, Math.max(factor, least)));
  return { ...solid, axes: [a, b, c] };
}

function edit(
  { volume }: VolumeViewport,
  book: AnnotationBook,
  annotation: SolidAnnotation,
  reshape: (to: ScreenPoint) => Solid,
): Drag {
  book.select(annotation.uid);
  let solid: Solid | null = null;
  return {
    move: (to) => {
      solid = reshape(to);
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

function place(
  viewport: VolumeViewport,
  book: AnnotationBook,
  kind: Solid['kind'],
  from: ScreenPoint,
): Drag | null {
  const centre = book.isFull ? null : viewport.pick(from);
  if (!centre) return null;
  const { volume, camera, stage } = viewport;
  const mm = pixelOf(camera, stage);
  const of = (pixels: number): SolidAnnotation =>
    annotationOf(volume.series, made(kind, centre, pixels * mm));
  let draft = of(FIRST_PIXELS);
  const show = (next: SolidAnnotation): void => {
    draft = { ...next, uid: draft.uid };
    book.draft.value = draft;
  };
  show(draft);
  return {
    move: (to) => show(of(Math.max(distance(from, to), FIRST_PIXELS / 2))),
    end: () => {
      book.draft.value = null;
      book.add({ ...draft, measured: measure(volume, solidOf(draft)) });
    },
    cancel: () => {
      book.draft.value = null;
    },
  };

  function made(shape: Solid['kind'], at: PatientPoint, size: number): Solid {
    if (shape === 'sphere') return { kind: 'sphere', centre: at, radius: size };
    const { right, down, inwards } = axesOf(camera);
    const axes = [right, down, inwards].map((axis) => scale(axis, size)) as [Vector, Vector, Vector];
    return { kind: 'cuboid', centre: at, axes };
  }
}

function distance(a: ScreenPoint, b: ScreenPoint): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}
