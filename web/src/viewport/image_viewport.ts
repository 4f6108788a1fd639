/** One canvas with one image: holds what is shown and how, and draws it at most once per animation frame. */

import type { FrameInfo, SeriesInfo } from '../dicom/manifest';
import type { Look } from '../dicom/voi';
import type { DecodedFrame } from '../frames/protocol';
import type { ScreenPoint, Size } from '../math/coordinates';
import { paint } from '../render/paint';
import { type Placement, placementOf, scaleOf, toImage, type View, WHOLE_IMAGE } from './view';

/** What stands on a canvas. */
export interface Picture {
  readonly series: SeriesInfo;
  readonly frame: FrameInfo;
  readonly decoded: DecodedFrame;
}

const LENS_RADIUS = 70; // CSS pixels: larger than the finger that holds it
const LENS_FACTOR = 2.5;

export class ImageViewport {
  private view: View = WHOLE_IMAGE;
  private picture: Picture | null = null;
  private lens: ScreenPoint | null = null;
  /** The image at its own size, repainted when frame or look change, not when it moves. */
  private readonly image = document.createElement('canvas');
  private pixels: ImageData | null = null;
  private scheduled = 0;

  /** `onDrawn` is called after each drawing: what lies over the image is drawn then. */
  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly onDrawn: () => void,
  ) {}

  get stage(): Size {
    return { width: this.canvas.clientWidth, height: this.canvas.clientHeight };
  }

  /** Paints a picture. Raises `FilmFault('unsupported')`; then the picture before stays. */
  show(picture: Picture, look: Look): void {
    const { frame, decoded, series } = picture;
    const [columns, rows] = [decoded.columns ?? frame.columns, decoded.rows ?? frame.rows];
    const pixels = this.pixelsOf(columns, rows);
    paint(decoded, frame, look, series, new Uint32Array(pixels.data.buffer));
    if (this.image.width !== columns || this.image.height !== rows) {
      this.image.width = columns;
      this.image.height = rows;
    }
    context(this.image).putImageData(pixels, 0, 0);
    this.picture = picture;
    this.redraw();
  }

  clear(): void {
    this.picture = null;
    this.redraw();
  }

  setView(view: View): void {
    this.view = view;
    this.redraw();
  }

  /** Holds a magnifying glass over a point of the screen; `null` takes it away. */
  setLens(at: ScreenPoint | null): void {
    this.lens = at;
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

  /** Where the image stands now; `null` without one. */
  get placement(): Placement | null {
    return this.picture && placementOf(this.picture.frame, this.view, this.stage);
  }

  /** The RGBA bytes on the canvas now. */
  readPixels(): Uint8ClampedArray {
    this.draw();
    return context(this.canvas).getImageData(0, 0, this.canvas.width, this.canvas.height).data;
  }

  private pixelsOf(columns: number, rows: number): ImageData {
    if (this.pixels?.width !== columns || this.pixels.height !== rows)
      this.pixels = new ImageData(columns, rows);
    return this.pixels;
  }

  private draw(): void {
    const { stage, canvas } = this;
    if (!stage.width || !stage.height) return;
    const ratio = window.devicePixelRatio || 1;
    fitCanvas(canvas, stage, ratio);
    const target = context(canvas);
    target.setTransform(ratio, 0, 0, ratio, 0, 0);
    // without a picture the server's preview, which lies below, is all that there is to see
    target.clearRect(0, 0, stage.width, stage.height);
    const { placement, picture } = this;
    if (picture && placement) {
      target.fillStyle = '#000';
      target.fillRect(0, 0, stage.width, stage.height);
      this.drawImage(target, picture, placement, ratio);
      if (this.lens) this.drawLens(target, picture, placement, this.lens, ratio);
    }
    this.onDrawn();
  }

  private drawImage(
    target: CanvasRenderingContext2D,
    { frame }: Picture,
    at: Placement,
    ratio: number,
  ): void {
    // magnified so far that single pixels are looked at, they are shown as they are
    const scale = scaleOf(at) * ratio;
    target.imageSmoothingEnabled = scale < 8 || this.image.width < frame.columns;
    // Between pixels a straight line, as every workstation draws. Cubic ('high') takes a processor 110 ms a frame of
    // 1280 x 700 where this takes 45. Made smaller, halves of the image are drawn from ('medium'): no shimmering.
    target.imageSmoothingQuality = scale < 1 ? 'medium' : 'low';
    target.save();
    target.transform(at.a, at.b, at.c, at.d, at.e, at.f);
    target.drawImage(this.image, 0, 0, frame.columns, frame.rows);
    target.restore();
  }

  private drawLens(
    target: CanvasRenderingContext2D,
    picture: Picture,
    at: Placement,
    lens: ScreenPoint,
    ratio: number,
  ): void {
    const fixed = toImage(at, lens);
    const [a, b, c, d] = [at.a, at.b, at.c, at.d].map((share) => share * LENS_FACTOR);
    const e = lens.x - a * fixed.x - c * fixed.y;
    const f = lens.y - b * fixed.x - d * fixed.y;
    target.save();
    target.beginPath();
    target.arc(lens.x, lens.y, LENS_RADIUS, 0, 2 * Math.PI);
    target.clip();
    target.fillRect(lens.x - LENS_RADIUS, lens.y - LENS_RADIUS, 2 * LENS_RADIUS, 2 * LENS_RADIUS);
    this.drawImage(target, picture, { a, b, c, d, e, f }, ratio);
    target.strokeStyle = '#fff';
    target.lineWidth = 2;
    target.stroke();
    target.restore();
  }
}

/** Gives a canvas the device pixels of its box. */
export function fitCanvas(canvas: HTMLCanvasElement, stage: Size, ratio: number): void {
  const [width, height] = [Math.round(stage.width * ratio), Math.round(stage.height * ratio)];
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
}

export function context(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const found = canvas.getContext('2d');
  if (!found) throw new Error('this browser has no canvas');
  return found;
}
