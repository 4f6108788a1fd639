/** Drag the image over the stage (E15). */

import { panned } from '../viewport/view';
import type { Tool } from './tool';

export const pan: Tool = {
  id: 'pan',
  label: '移动',
  icon: 'M12 3v18M3 12h18M9 6l3-3 3 3M9 18l3 3 3-3M6 9l-3 3 3 3M18 9l3 3-3 3',
  group: 'view',
  start(stage, from) {
    const { view } = stage;
    return {
      move: (to) => stage.setView(panned(stage.frame, view, stage.size, to.x - from.x, to.y - from.y)),
    };
  },
};
