/** One canvas with one image: holds what is shown and how, and draws it at most once per animation frame. */

import type { FrameInfo } from '../dicom/manifest';
import type { Voi } from '../dicom/voi';
import type { DecodedFrame } from '../frames/protocol';
import { paint } from '../render/paint';
import { placementOf, type Size, type View, WHOLE_IMAGE } from './view';

interface Shown {
  readonly frame: FrameInfo;
  readonly decoded: DecodedFrame;
  readonly voi: Voi;
}

export class Viewport {
  private view: View = WHOLE_IMAGE;
  private shown: Shown | null = null;
  /** The image at its own size, repainted when frame or window change, not when it moves. */
  private readonly image = document.createElement('canvas');
  private scheduled = 0;

  constructor(private readonly canvas: HTMLCanvasElement) {}

  get stage(): Size {
    return { width: this.canvas.clientWidth, height: this.canvas.clientHeight };
  }

  /** Paints a frame through a window. Raises `FilmFault('unsupported')`; then the picture before stays. */
  show(frame: FrameInfo, decoded: DecodedFrame, voi: Voi): void {
    const pixels = new ImageData(frame.columns, frame.rows);
    paint(decoded, frame, voi, new Uint32Array(pixels.data.buffer));
    if (this.image.width !== frame.columns || this.image.height !== frame.rows) {
      this.image.width = frame.columns;
      this.image.height = frame.rows;
    }
    context(this.image).putImageData(pixels, 0, 0);
    this.shown = { frame, decoded, voi };
    this.redraw();
  }

  setView(view: View): void {
    this.view = view;
    this.redraw();
  }

  /** Draws in the next animation frame; several changes before it are one drawing. */
  redraw(): void {
    if (this.scheduled) return;
    this.scheduled = requestAnimationFrame(() => {
      this.scheduled = 0;
      this.draw();
    });
  }

  /** The RGBA bytes on the canvas now. */
  pixels(): Uint8ClampedArray {
    this.draw();
    return context(this.canvas).getImageData(0, 0, this.canvas.width, this.canvas.height).data;
  }

  private draw(): void {
    if (!this.shown) return;
    const { stage, canvas } = this;
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [Math.round(stage.width * ratio), Math.round(stage.height * ratio)];
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
    }
    const { frame } = this.shown;
    const at = placementOf(frame, this.view, stage);
    const target = context(canvas);
    target.setTransform(ratio, 0, 0, ratio, 0, 0);
    target.fillStyle = '#000';
    target.fillRect(0, 0, stage.width, stage.height);
    // magnified so far that single pixels are looked at, they are shown as they are
    target.imageSmoothingEnabled = at.scaleX * ratio < 8;
    target.imageSmoothingQuality = 'high';
    target.drawImage(this.image, at.originX, at.originY, frame.columns * at.scaleX, frame.rows * at.scaleY);
  }
}

function context(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const found = canvas.getContext('2d');
  if (!found) throw new Error('this browser has no canvas');
  return found;
}
