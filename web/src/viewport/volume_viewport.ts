/** One canvas with one rendered volume: camera and look as JSON, drawn coarse while they move and fine when they rest. */

import type { Voi } from '../dicom/voi';
import type { PatientPoint, ScreenPoint, Size } from '../math/coordinates';
import {
  type Camera,
  cameraFrom,
  magnified,
  project,
  readCamera,
  seenFrom,
  shifted,
  trackballed,
  unproject,
  type ViewFrom,
} from '../render/volume/camera';
import { firstLook, rangeOf, readLook, type VolumeLook, windowOf } from '../render/volume/look';
import { pickSurface } from '../render/volume/pick';
import { createVolumeRenderer, type RendererWishes, type VolumeRenderer } from '../render/volume/renderer';
import type { VolumeData } from '../volume/volume';

/** What a live room shares of a rendered volume. */
export interface VolumeState {
  /** Of which series: a camera means nothing in another volume. */
  readonly series: string;
  readonly camera: Camera;
  readonly look: VolumeLook;
}

const REST_MS = 150;

export class VolumeViewport {
  private state: VolumeState;
  private readonly renderer: VolumeRenderer;
  private scheduled = 0;
  private rest: ReturnType<typeof setTimeout> | undefined;
  private isMoving = false;

  /** `onChange`: camera or look are others now; `onDrawn`: a picture stands, what lies over it is drawn then. */
  constructor(
    private readonly canvas: HTMLCanvasElement,
    readonly volume: VolumeData,
    private readonly hooks: { onChange(state: VolumeState): void; onDrawn(): void },
    wishes: Pick<RendererWishes, 'forceCpu'> = {},
  ) {
    this.state = { series: volume.series, camera: cameraFrom(volume, 'A'), look: firstLook(volume) };
    this.renderer = createVolumeRenderer(canvas, volume, { ...wishes, onFallBack: () => this.redraw() });
  }

  get stage(): Size {
    return { width: this.canvas.clientWidth, height: this.canvas.clientHeight };
  }

  get camera(): Camera {
    return this.state.camera;
  }

  get look(): VolumeLook {
    return this.state.look;
  }

  /** The window of the look, or the one that its preset was made for. */
  get window(): Voi {
    return windowOf(this.look, rangeOf(this.volume));
  }

  /** How the picture is made: `cpu` until the card has shown that it draws what it should. */
  get kind(): 'gl' | 'cpu' {
    return this.renderer.kind;
  }

  /** Takes over a state that came from elsewhere, unless it is one of another series. Raises `RangeError` for what is none. */
  restore(written: unknown): void {
    const { series, camera, look } = (written ?? {}) as Record<string, unknown>;
    if (series !== this.volume.series) return;
    this.state = { series, camera: readCamera(camera), look: readLook(look, this.volume) };
    this.redraw();
  }

  setLook(look: Partial<VolumeLook>): void {
    this.change({ ...this.state, look: { ...this.state.look, ...look } });
  }

  /** Looks from one side of the patient, at the same place. */
  lookFrom(side: ViewFrom): void {
    this.move(seenFrom(this.camera, side));
  }

  turn(dx: number, dy: number): void {
    this.move(trackballed(this.camera, this.stage, dx, dy));
  }

  pan(dx: number, dy: number): void {
    this.move(shifted(this.camera, this.stage, dx, dy));
  }

  zoomBy(factor: number, anchor: ScreenPoint): void {
    this.move(magnified(this.camera, this.stage, factor, anchor));
  }

  reset(): void {
    this.change({ ...this.state, camera: cameraFrom(this.volume, 'A'), look: firstLook(this.volume) });
  }

  project(point: PatientPoint): ScreenPoint {
    return project(this.camera, this.stage, point);
  }

  /** The point under a screen point in the plane through the middle of the picture. */
  unproject(at: ScreenPoint): PatientPoint {
    return unproject(this.camera, this.stage, at);
  }

  /** The first point along the ray that the look shows clearly; `null` when there is none. */
  pick(at: ScreenPoint): PatientPoint | null {
    return pickSurface(this.volume, this.state, this.stage, at);
  }

  /** More of the volume is there. */
  refresh(): void {
    this.renderer.refresh();
    this.redraw();
  }

  /** Draws in the next animation frame; several changes before it are one drawing. */
  redraw(): void {
    this.scheduled ||= requestAnimationFrame(() => {
      this.scheduled = 0;
      void this.draw();
    });
  }

  dispose(): void {
    cancelAnimationFrame(this.scheduled);
    clearTimeout(this.rest);
    this.renderer.dispose();
  }

  private move(camera: Camera): void {
    this.change({ ...this.state, camera });
  }

  private change(state: VolumeState): void {
    this.state = state;
    this.isMoving = true;
    clearTimeout(this.rest);
    this.rest = setTimeout(() => {
      this.isMoving = false;
      this.redraw();
    }, REST_MS);
    this.hooks.onChange(state);
    this.redraw();
  }

  private async draw(): Promise<void> {
    const { stage, state } = this;
    const ratio = window.devicePixelRatio || 1;
    const size = { width: Math.round(stage.width * ratio), height: Math.round(stage.height * ratio) };
    await this.renderer.render(state.camera, state.look, size, this.isMoving);
    this.hooks.onDrawn();
  }
}
