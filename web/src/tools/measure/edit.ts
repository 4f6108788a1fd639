/** What every measuring tool does with what is drawn already: choose it, drag a handle, the label or the whole, write on it. */

import type { FlatAnnotation } from '../../dicom/annotation';
import type { ImagePoint, ScreenPoint } from '../../math/coordinates';
import type { AnnotationBook } from '../../viewport/annotations/book';
import { type Figure, figureOf, labelLayout } from '../../viewport/annotations/geometry';
import { type Hit, hitAt } from '../../viewport/annotations/hit_test';
import { LONGEST_TEXT } from '../../viewport/annotations/read';
import type { Drag, Stage } from '../tool';
import { lacksValues, measuresOf, type Picture } from './measures';
import { DraftHold, isTap, type Pair, pictureOf, reshaped, shifted } from './sketch';

const DOUBLE_TAP_MS = 350;

const lastTaps = new WeakMap<AnnotationBook, { readonly uid: string; readonly at: number }>();

/** Takes hold of the annotation under `from`; `null` when there is none. */
export function startEdit(stage: Stage, from: ScreenPoint): Drag | null {
  const { annotations: book, frame } = stage;
  const drawn = book.onFrame(frame.instance, frame.frame);
  const figures = drawn.map((annotation) => figureOf(annotation, frame));
  const hit = hitAt(figures, book.selected.value, from, (point) => stage.toScreen(point), stage.size);
  const annotation = hit && drawn.find(({ uid }) => uid === hit.uid);
  if (!annotation) return null;
  book.select(hit.uid);
  const figure = figures[drawn.indexOf(annotation)];
  return dragOf(stage, from, annotation, figure, hit);
}

function dragOf(stage: Stage, from: ScreenPoint, annotation: FlatAnnotation, figure: Figure, hit: Hit): Drag {
  const { annotations: book } = stage;
  const picture = pictureOf(stage);
  const start = stage.toImage(from);
  const label = labelStart(stage, figure);
  const hold = new DraftHold(book);
  let draft: FlatAnnotation | null = null;
  const follow = (to: ScreenPoint, isFinal: boolean): void => {
    if (!draft && isTap(from, to)) return;
    const by = { from: start, to: stage.toImage(to) };
    draft =
      hit.part === 'label' ? relabelled(annotation, label, by) : moved(annotation, hit, by, picture, isFinal);
    hold.show(draft);
  };
  return {
    move: (to) => follow(to, false),
    end: (to) => {
      follow(to, true);
      if (!hold.isOpen) return;
      hold.giveUp();
      if (draft)
        book.update(annotation.uid, { points: draft.points, label: draft.label, measured: draft.measured });
      else tapped(stage, annotation, picture);
    },
    cancel: () => hold.giveUp(),
  };
}

interface Shift {
  readonly from: ImagePoint;
  readonly to: ImagePoint;
}

function moved(
  annotation: FlatAnnotation,
  hit: Hit,
  { from, to }: Shift,
  picture: Picture,
  isFinal: boolean,
): FlatAnnotation {
  const all = shifted(annotation.points, from, to);
  if (hit.part === 'handle') {
    const points = annotation.points.map((point, i): Pair => (i === hit.index ? all[i] : point));
    return reshaped(annotation, points, picture, isFinal);
  }
  const label = annotation.label && {
    x: annotation.label.x + to.x - from.x,
    y: annotation.label.y + to.y - from.y,
  };
  return { ...reshaped(annotation, all, picture, isFinal), label };
}

/** Where the label's corner stands in the picture before it is dragged. */
function labelStart(stage: Stage, figure: Figure): ImagePoint {
  const layout = labelLayout(figure, (point) => stage.toScreen(point), stage.size);
  return layout ? stage.toImage(layout.box) : figure.anchors[0];
}

function relabelled(annotation: FlatAnnotation, label: ImagePoint, { from, to }: Shift): FlatAnnotation {
  return { ...annotation, label: { x: label.x + to.x - from.x, y: label.y + to.y - from.y } };
}

/** The first tap chooses (and measures what could not be measured before), the second writes. */
function tapped(stage: Stage, annotation: FlatAnnotation, picture: Picture): void {
  const { annotations: book } = stage;
  const [last, now] = [lastTaps.get(book), performance.now()];
  lastTaps.set(book, { uid: annotation.uid, at: now });
  if (last?.uid === annotation.uid && now - last.at <= DOUBLE_TAP_MS) {
    lastTaps.delete(book);
    void rewrite(stage, annotation.uid);
  } else if (lacksValues(annotation, picture)) {
    book.update(annotation.uid, { measured: measuresOf(annotation, picture) });
  }
}

/** Asks for the words of an annotation. */
export async function rewrite(stage: Pick<Stage, 'annotations' | 'ask'>, uid: string): Promise<void> {
  const { annotations: book } = stage;
  const before = book.get(uid);
  if (!before) return;
  const text = (await stage.ask('标注文字', before.text))?.slice(0, LONGEST_TEXT);
  if (text === undefined) return;
  if (before.kind === 'text' && !text.trim()) book.remove(uid);
  else book.update(uid, { text });
}
