/** An annotation while it is being drawn. It lives in the book as its draft, so every cell that shows the frame shows it. */

import { batch } from '@preact/signals';
import type { FlatAnnotation } from '../../dicom/annotation';
import { clamp, type ImagePoint, type ScreenPoint } from '../../math/coordinates';
import { distance } from '../../math/shapes';
import type { AnnotationBook } from '../../viewport/annotations/book';
import type { Stage } from '../tool';
import { measuresOf, type Picture } from './measures';
import { newUid } from './uid';

export type Pair = readonly [number, number];

/** Fingers and mice shake: what moved less, in CSS pixels, was a tap. */
export const SHAKE = 4;

const MOST_LIVE_PIXELS = 2 ** 19; // values of more pixels than these are taken when the drag ends, or it would stutter

/** The frame under the tool now; a drag keeps it, whatever is scrolled to meanwhile. */
export function pictureOf({ frame, decoded, series }: Stage): Picture & { readonly series: Stage['series'] } {
  return { frame, decoded, series };
}

/** A new annotation on the frame of the stage. */
export function sketch(
  { frame, series }: Stage,
  kind: FlatAnnotation['kind'],
  points: readonly Pair[],
): FlatAnnotation {
  return {
    uid: newUid(),
    kind,
    series: series.uid,
    instance: frame.instance,
    frame: frame.frame,
    points,
    radius: null,
    text: '',
    label: null,
    measured: [],
    author: '',
    revision: 1,
    created_at: new Date().toISOString(),
  };
}

/** The draft of this kind that waits for more points on this frame. */
export function pendingOf(
  { annotations, frame }: Stage,
  kind: FlatAnnotation['kind'],
): FlatAnnotation | null {
  const draft = annotations.draft.value;
  if (draft?.kind !== kind || draft.instance !== frame.instance || draft.frame !== frame.frame) return null;
  return draft as FlatAnnotation;
}

/** The annotation with other points, measured; `isFinal`: what takes long too. */
export function reshaped(
  annotation: FlatAnnotation,
  points: readonly Pair[],
  picture: Picture,
  isFinal: boolean,
): FlatAnnotation {
  const moved = { ...annotation, points: points.map(rounded) };
  const isHeavy = annotation.kind === 'freehand' || boxSize(points) > MOST_LIVE_PIXELS;
  return { ...moved, measured: isHeavy && !isFinal ? [] : measuresOf(moved, picture) };
}

/** Shows a draft for one drag, until the drag ends or somebody else takes the draft away (Escape). */
export class DraftHold {
  private held: FlatAnnotation | null = null;

  constructor(
    private readonly book: AnnotationBook,
    private readonly before: FlatAnnotation | null = null,
  ) {}

  /** Whether the drag still counts. */
  get isOpen(): boolean {
    return this.held === null || this.book.draft.value === this.held;
  }

  show(draft: FlatAnnotation): void {
    if (!this.isOpen) return;
    this.held = draft;
    this.book.draft.value = draft;
  }

  /** Back to what was there before the drag. */
  giveUp(): void {
    if (this.isOpen) this.book.draft.value = this.before;
  }
}

/** Puts a finished draft into the book. */
export function keep(book: AnnotationBook, annotation: FlatAnnotation): void {
  batch(() => {
    book.draft.value = null;
    if (!book.isFull) book.add(annotation);
  });
}

/** The image point under a point of the stage, kept on the picture: outside there is nothing to measure. */
export function pairOn(stage: Stage, at: ScreenPoint): Pair {
  const { x, y } = stage.toImage(at);
  return [clamp(x, 0, stage.frame.columns), clamp(y, 0, stage.frame.rows)];
}

export function isTap(from: ScreenPoint, to: ScreenPoint): boolean {
  return distance(from, to) < SHAKE;
}

export function shifted(points: readonly Pair[], from: ImagePoint, to: ImagePoint): readonly Pair[] {
  return points.map(([x, y]): Pair => [x + to.x - from.x, y + to.y - from.y]);
}

/** Hundredths of a pixel: finer than any hand, and half the size of a long contour on its way to the record. */
function rounded([x, y]: Pair): Pair {
  return [Math.round(x * 100) / 100, Math.round(y * 100) / 100];
}

function boxSize(points: readonly Pair[]): number {
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  return (Math.max(...xs) - Math.min(...xs)) * (Math.max(...ys) - Math.min(...ys));
}
