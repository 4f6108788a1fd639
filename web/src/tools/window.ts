/** Drag right to widen the window, down to raise its centre: flatter, darker (E15). */

import type { Tool } from './tool';

const PIXELS_PER_WIDTH = 250; // the window's own width per so many CSS pixels: fine in the brain, fast in bone

export const windowing: Tool = {
  id: 'window',
  label: '调窗',
  icon: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 3v18M12 8h7M12 12h9M12 16h7',
  group: 'view',
  start(stage, from) {
    const { voi, frame } = stage;
    if (!voi) return null;
    const narrowest = Math.min(1, Math.abs(frame.slope)) || 1;
    const step = Math.max(voi.width, narrowest) / PIXELS_PER_WIDTH;
    return {
      move: (to) =>
        stage.setVoi({
          center: voi.center + (to.y - from.y) * step,
          width: Math.max(voi.width + (to.x - from.x) * step, narrowest),
        }),
    };
  },
};
