/** Drag up and down through the stack: its whole length is about the height of the stage (E15 paging). */

import { clamp } from '../math/coordinates';
import type { Tool } from './tool';

const MIN_STEP = 3; // CSS pixels per frame: finer is not under a finger's control
const MAX_STEP = 24;

export const scroll: Tool = {
  id: 'scroll',
  label: '翻页',
  icon: 'M12 3v18M8 7l4-4 4 4M8 17l4 4 4-4',
  group: 'view',
  start(stage, from) {
    const first = stage.index;
    const step = clamp(stage.size.height / stage.count, MIN_STEP, MAX_STEP);
    return { move: (to) => stage.scrollTo(first + Math.round((to.y - from.y) / step)) };
  },
};
