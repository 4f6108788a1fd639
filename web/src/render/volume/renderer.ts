/** Draws a volume on a canvas: with the graphics card where it shows what it should, else without. */

import type { Size } from '../../math/coordinates';
import { isFull, type VolumeData } from '../../volume/volume';
import { type Camera, cameraFrom } from './camera';
import { castRows, type Scene } from './cpu_caster';
import { GlCaster } from './gl_caster';
import { firstLook, rangeOf, tableOf, type VolumeLook } from './look';

export interface VolumeRenderer {
  readonly kind: 'gl' | 'cpu';
  /**
   * Draws the volume over the whole canvas, which has `size` device pixels. `isMoving`: fewer pixels and steps.
   * Resolves when it stands there, or when a later call has taken its place.
   */
  render(camera: Camera, look: VolumeLook, size: Size, isMoving: boolean): Promise<void>;
  /** The volume has more in it: when all is there, the values that presets refer to are taken again. */
  refresh(): void;
  dispose(): void;
}

export interface RendererWishes {
  /** Without the graphics card. */
  readonly forceCpu?: boolean;
  /** The card gave up; what is on the canvas is old, and the next call draws without it. */
  readonly onFallBack?: () => void;
}

export function createVolumeRenderer(
  canvas: HTMLCanvasElement,
  volume: VolumeData,
  wishes: RendererWishes = {},
): VolumeRenderer {
  return new Renderer(canvas, volume, wishes);
}

const CPU_PIXELS = { moving: 96, still: 256 } as const; // of the longer side
const GL_PIXELS = 1024;
const CHUNK_MS = 12; // the page answers between chunks
const GOAL_MS = { moving: 40, still: 400 } as const; // of a picture by the card: some are software
const LEAST_SHARE = 0.1; // of the pixels, each way

class Renderer implements VolumeRenderer {
  private gl: GlCaster | null = null;
  private range: readonly [number, number];
  private isTrusted = false;
  private latest = 0;
  /** Milliseconds that the card takes for a pixel, one step a voxel; `null` until it drew one. */
  private perPixel: number | null = null;

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly volume: VolumeData,
    private readonly wishes: RendererWishes,
  ) {
    this.range = rangeOf(volume);
    if (!wishes.forceCpu) this.gl = GlCaster.make(volume, this.range);
  }

  get kind(): 'gl' | 'cpu' {
    return this.gl && this.isTrusted ? 'gl' : 'cpu';
  }

  async render(camera: Camera, look: VolumeLook, size: Size, isMoving: boolean): Promise<void> {
    const turn = ++this.latest;
    if (size.width < 1 || size.height < 1) return;
    const table = tableOf(look, this.range);
    const scene: Scene = { volume: this.volume, camera, look, table, step: isMoving ? 2 : 1 };
    if (this.gl?.isLost) this.fallBack();
    if (this.kind === 'cpu' || !isMoving) await this.prepare(scene, size, isMoving, turn);
    else this.gl?.upload(CHUNK_MS);
    if (turn !== this.latest) return;
    if (this.gl && this.isTrusted) this.drawByCard(this.gl, scene, size, isMoving);
    else if (!this.gl) await this.drawByHand(scene, size, isMoving, turn);
  }

  /** Brings the volume to the card, a little at a time, and looks whether it shows what it should. */
  private async prepare(scene: Scene, size: Size, isMoving: boolean, turn: number): Promise<void> {
    const { gl } = this;
    if (!gl) return;
    // until the card is proved a small picture without it is better than none
    if (!this.isTrusted) await this.drawByHand({ ...scene, step: 2 }, size, true, turn);
    while (turn === this.latest && !gl.upload(CHUNK_MS)) {
      if (isMoving) return;
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    if (this.isTrusted || turn !== this.latest) return;
    if (isTrue(gl, this.volume, this.range)) this.isTrusted = true;
    else this.fallBack();
  }

  refresh(): void {
    if (!isFull(this.volume)) return;
    const range = rangeOf(this.volume);
    const isOther = range[0] !== this.range[0] || range[1] !== this.range[1];
    this.range = range;
    if (!this.gl || !isOther) return;
    this.gl.dispose(); // its texture tells other values apart
    this.gl = GlCaster.make(this.volume, range);
    this.isTrusted = false;
  }

  dispose(): void {
    this.latest++;
    this.gl?.dispose();
    this.gl = null;
  }

  private drawByCard(gl: GlCaster, scene: Scene, size: Size, isMoving: boolean): void {
    const most = Math.min(1, GL_PIXELS / Math.max(size.width, size.height));
    if (this.perPixel === null) this.drawTimed(gl, scene, scaled(size, LEAST_SHARE));
    const whole = (this.perPixel ?? 0) * size.width * size.height;
    const goal = isMoving ? GOAL_MS.moving * scene.step : GOAL_MS.still;
    const share = Math.min(most, Math.max(LEAST_SHARE, Math.sqrt(goal / Math.max(whole, 1))));
    this.drawTimed(gl, scene, scaled(size, share));
    if (gl.isLost) {
      this.fallBack();
      return;
    }
    this.copy(gl.canvas, size);
  }

  private drawTimed(gl: GlCaster, scene: Scene, picture: Size): void {
    const now = (gl.draw(scene, picture) * scene.step) / (picture.width * picture.height);
    this.perPixel = this.perPixel === null ? now : (this.perPixel + now) / 2;
  }

  private async drawByHand(scene: Scene, size: Size, isMoving: boolean, turn: number): Promise<void> {
    const most = isMoving ? CPU_PIXELS.moving : CPU_PIXELS.still;
    const picture = scaled(size, Math.min(1, most / Math.max(size.width, size.height)));
    const image = new ImageData(picture.width, picture.height);
    const pixels = new Uint32Array(image.data.buffer);
    let rows = 0;
    while (rows < picture.height) {
      const until = performance.now() + CHUNK_MS;
      while (rows < picture.height && performance.now() < until) {
        castRows(scene, picture, rows, rows + 1, pixels);
        rows++;
      }
      await new Promise((resolve) => setTimeout(resolve, 0));
      if (turn !== this.latest) return;
    }
    const sheet = document.createElement('canvas');
    sheet.width = picture.width;
    sheet.height = picture.height;
    contextOf(sheet).putImageData(image, 0, 0);
    this.copy(sheet, size);
  }

  private copy(from: HTMLCanvasElement, size: Size): void {
    const { canvas } = this;
    if (canvas.width !== size.width || canvas.height !== size.height) {
      canvas.width = size.width;
      canvas.height = size.height;
    }
    const target = contextOf(canvas);
    target.setTransform(1, 0, 0, 1, 0, 0);
    target.imageSmoothingQuality = 'high';
    target.drawImage(from, 0, 0, size.width, size.height);
  }

  private fallBack(): void {
    this.gl?.dispose();
    this.gl = null;
    this.wishes.onFallBack?.();
  }
}

const PROBE: Size = { width: 16, height: 16 };
const LIKE = 24; // of 255, on average: textures of large volumes are coarser than voxels
const BASE = 64; // grey of the lowest value: a black picture is a failed one, not an empty volume

/** Whether a small picture by the card is what the processor makes of the volume: some cards show black, or squares. */
function isTrue(gl: GlCaster, volume: VolumeData, range: readonly [number, number]): boolean {
  const look: VolumeLook = { ...firstLook(volume), preset: 'mip' };
  const whole = tableOf(look, range);
  const rgba = whole.rgba.map((level, i) => (i % 4 === 3 ? level : BASE + (level * (255 - BASE)) / 255));
  const scene: Scene = {
    volume,
    camera: cameraFrom(volume, 'A'),
    look,
    table: { ...whole, rgba },
    step: 4,
  };
  const expected = new Uint32Array(PROBE.width * PROBE.height);
  castRows(scene, PROBE, 0, PROBE.height, expected);
  gl.draw(scene, PROBE);
  const found = gl.readPixels();
  let [seen, off] = [0, 0];
  for (let i = 0; i < found.length; i++) {
    const [mine, theirs] = [expected[i] & 255, found[i] & 255];
    if (mine > 0) seen++;
    off += Math.abs(mine - theirs);
  }
  return seen > 0 && off / found.length < LIKE;
}

function scaled({ width, height }: Size, share: number): Size {
  return { width: Math.max(1, Math.round(width * share)), height: Math.max(1, Math.round(height * share)) };
}

function contextOf(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const found = canvas.getContext('2d');
  if (!found) throw new Error('this browser has no canvas');
  return found;
}
