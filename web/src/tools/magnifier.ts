/** A glass under the pointer, as long as it is held down (E15). */

import type { Tool } from './tool';

export const magnifier: Tool = {
  id: 'magnifier',
  label: '放大镜',
  icon: 'M10 4a6 6 0 1 0 0 12 6 6 0 0 0 0-12zM14.5 14.5l6 6M10 10h.01',
  group: 'view',
  start(stage, from) {
    const takeAway = (): void => stage.magnify(null);
    stage.magnify(from);
    return { move: (to) => stage.magnify(to), end: takeAway, cancel: takeAway };
  },
};
