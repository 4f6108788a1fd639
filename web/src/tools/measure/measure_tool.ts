/** What all measuring tools share: an existing figure under the finger is edited, anything else begins a new one. */

import type { FlatAnnotation } from '../../dicom/annotation';
import type { ScreenPoint } from '../../math/coordinates';
import type { Drag, Stage, Tool } from '../tool';
import { startEdit } from './edit';
import { DraftHold, isTap, keep, pairOn, pendingOf, pictureOf, reshaped, sketch } from './sketch';

type Kind = FlatAnnotation['kind'];

/** What a tool says of itself, and how it begins a figure. */
export interface Drawing {
  readonly id: Kind;
  readonly label: string;
  readonly icon: string;
  draw(stage: Stage, from: ScreenPoint): Drag | null;
}

export function measureTool({ id, label, icon, draw }: Drawing): Tool {
  return {
    ...{ id, label, icon },
    group: 'measure',
    start(stage, from) {
      const { annotations: book, frame } = stage;
      if (!frame.instance) return null; // a picture that cannot be named later
      if (pendingOf(stage, id)) return draw(stage, from);
      book.draft.value = null;
      const edit = startEdit(stage, from);
      if (edit) return edit;
      book.select(null);
      return book.isFull ? null : draw(stage, from);
    },
  };
}

/**
 * Draws figures of `count` points by dragging: each drag sets the point where the finger is, the first one the point
 * where it went down too. Until all are there the figure waits as a draft.
 */
export function pointDrag(kind: Kind, count: number, perDrag: (isFirst: boolean) => 1 | 2) {
  return (stage: Stage, from: ScreenPoint): Drag => {
    const { annotations: book } = stage;
    const picture = pictureOf(stage);
    const pending = pendingOf(stage, kind);
    const annotation = pending ?? sketch(stage, kind, []);
    const needsLength = perDrag(!pending) === 2;
    const fixed = needsLength ? [...annotation.points, pairOn(stage, from)] : annotation.points;
    const at = (to: ScreenPoint, isFinal: boolean): FlatAnnotation =>
      reshaped(annotation, [...fixed, pairOn(stage, to)], picture, isFinal);
    const hold = new DraftHold(book, pending);
    if (!needsLength) hold.show(at(from, false));
    return {
      move: (to) => hold.show(at(to, false)),
      end: (to) => {
        if (!hold.isOpen) return;
        const drawn = at(to, true);
        if (needsLength && isTap(from, to)) hold.giveUp();
        else if (drawn.points.length < count) hold.show(drawn);
        else keep(book, drawn);
      },
      cancel: () => hold.giveUp(),
    };
  };
}
