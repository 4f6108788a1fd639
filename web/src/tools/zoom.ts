/** Drag up to magnify, down to shrink; what was under the pointer stays there (E15). */

import { zoomed } from '../viewport/view';
import type { Tool } from './tool';

const PIXELS_PER_FACTOR_E = 150;

export const zoom: Tool = {
  id: 'zoom',
  label: '缩放',
  icon: 'M10 4a6 6 0 1 0 0 12 6 6 0 0 0 0-12zM15 15l6 6M10 7v6M7 10h6',
  group: 'view',
  start(stage, from) {
    const { view } = stage;
    return {
      move: (to) => {
        const factor = Math.exp((from.y - to.y) / PIXELS_PER_FACTOR_E);
        stage.setView(zoomed(stage.frame, view, stage.size, factor, from));
      },
    };
  },
};
