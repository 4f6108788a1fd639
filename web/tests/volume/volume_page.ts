/** A page for the browser test: a generated volume, rendered; what came of it is left in the document. */

import { VolumeViewport } from '../../src/viewport/volume_viewport';
import { volumeOf } from './volumes';

const MIDDLE = 31.5;

/** A shell of bone around soft tissue, and a brighter ball towards the left of the patient. */
function head(x: number, y: number, z: number): number {
  const far = Math.hypot(x - MIDDLE, y - MIDDLE, (z - MIDDLE) * 1.1);
  if (Math.hypot(x - 52, y - MIDDLE, z - 40) < 9) return 1800;
  return far > 28 ? -1000 : far > 24 ? 1100 : 40;
}

declare global {
  interface Window {
    viewport: VolumeViewport;
    drawn: number;
  }
}

export function start(canvas: HTMLCanvasElement): void {
  window.drawn = 0;
  const volume = volumeOf({ size: [64, 64, 64], origin: [-MIDDLE, -MIDDLE, -MIDDLE] }, head);
  window.viewport = new VolumeViewport(canvas, volume, {
    onChange: () => undefined,
    onDrawn: () => {
      window.drawn++;
      canvas.dataset.kind = window.viewport.kind;
    },
  });
  window.viewport.redraw();
}

const canvas = document.querySelector('canvas');
if (canvas) start(canvas);
