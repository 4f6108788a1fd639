/** Drag around the middle of the stage to turn the image by any angle (E15). */

import type { ScreenPoint } from '../math/coordinates';
import { rotated } from '../viewport/view';
import type { Tool } from './tool';

export const rotate: Tool = {
  id: 'rotate',
  label: '旋转',
  icon: 'M4 12a8 8 0 1 0 3-6.2M4 4v5h5',
  group: 'view',
  start(stage, from) {
    const { view, size } = stage;
    const angleOf = (p: ScreenPoint): number => Math.atan2(p.y - size.height / 2, p.x - size.width / 2);
    const first = angleOf(from);
    return { move: (to) => stage.setView(rotated(view, ((angleOf(to) - first) * 180) / Math.PI)) };
  },
};
