/** An arrow with words: press on what is meant, drag to where the words stand (E16). */

import { LONGEST_TEXT } from '../../viewport/annotations/read';
import { measureTool } from './measure_tool';
import { DraftHold, isTap, keep, type Pair, pairOn, sketch } from './sketch';

export const arrow = measureTool({
  id: 'arrow',
  label: '箭头',
  icon: 'M4 20L19 5M19 14V5h-9',
  draw: (stage, from) => {
    const { annotations: book } = stage;
    const tip = pairOn(stage, from);
    const annotation = sketch(stage, 'arrow', [tip, tip]);
    const to = (end: Pair) => ({ ...annotation, points: [tip, end] });
    const hold = new DraftHold(book);
    return {
      move: (at) => hold.show(to(pairOn(stage, at))),
      end: (at) => {
        if (isTap(from, at)) hold.giveUp();
        if (isTap(from, at) || !hold.isOpen) return;
        const drawn = to(pairOn(stage, at));
        hold.show(drawn); // stands there while the words are asked for
        void stage.ask('箭头文字（可不填）', '').then((words) => {
          if (words === null) hold.giveUp();
          else keep(book, { ...drawn, text: words.trim().slice(0, LONGEST_TEXT) });
        });
      },
      cancel: () => hold.giveUp(),
    };
  },
});
