/** Words at a place: tap, and write (E16). */

import { LONGEST_TEXT } from '../../viewport/annotations/read';
import { measureTool } from './measure_tool';
import { keep, pairOn, sketch } from './sketch';

export const text = measureTool({
  id: 'text',
  label: '文字',
  icon: 'M5 6V4h14v2M12 4v16M9 20h6',
  draw: (stage, from) => {
    const annotation = sketch(stage, 'text', [pairOn(stage, from)]);
    return {
      move: () => undefined,
      end: () => {
        void stage.ask('标注文字', '').then((words) => {
          const said = words?.trim().slice(0, LONGEST_TEXT);
          if (said) keep(stage.annotations, { ...annotation, text: said });
        });
      },
    };
  },
});
