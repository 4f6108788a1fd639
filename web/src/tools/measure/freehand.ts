/** A contour and the values inside: drag round it, it closes by itself (E17). */

import { distance } from '../../math/shapes';
import { MOST_POINTS } from '../../viewport/annotations/read';
import { measureTool } from './measure_tool';
import { DraftHold, keep, type Pair, pairOn, pictureOf, reshaped, sketch } from './sketch';

const STEP = 3; // CSS pixels between two points: finer follows the trembling of the hand

export const freehand = measureTool({
  id: 'freehand',
  label: '轮廓',
  icon: 'M8 5c5-3 12 1 12 6 0 6-6 9-11 8-4-1-6-5-4-8 1-2 0-4 3-6z',
  draw: (stage, from) => {
    const { annotations: book } = stage;
    const picture = pictureOf(stage);
    let points: readonly Pair[] = [pairOn(stage, from)];
    let [last, step] = [from, STEP];
    const annotation = sketch(stage, 'freehand', points);
    const hold = new DraftHold(book);
    return {
      move: (to) => {
        if (distance(last, to) < step) return;
        last = to;
        points = [...points, pairOn(stage, to)];
        if (points.length >= MOST_POINTS) {
          points = points.filter((_, i) => i % 2 === 0);
          step *= 2;
        }
        hold.show({ ...annotation, points });
      },
      end: () => {
        if (points.length < 3 || !hold.isOpen) hold.giveUp();
        else keep(book, reshaped(annotation, points, picture, true));
      },
      cancel: () => hold.giveUp(),
    };
  },
});
