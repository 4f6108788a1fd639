/** One cell of the layout: what it holds, what is on its canvas, how it is looked at. The ui reads its signals. */

import { batch, computed, signal } from '@preact/signals';
import type { FrameInfo, FrameRef, PresentationState, SeriesInfo } from '../dicom/manifest';
import { autoWindow, defaultVoi, fullRange, type Look, type Voi } from '../dicom/voi';
import { FilmFault } from '../faults';
import type { DecodedFrame } from '../frames/protocol';
import type { FrameProvider } from '../frames/provider';
import { clamp } from '../math/coordinates';
import { isGrey } from '../render/paint';
import type { ImageViewport, Picture } from '../viewport/image_viewport';
import { nativeZoom, type View, WHOLE_IMAGE, zoomed } from '../viewport/view';
import { type Content, isSameFrame } from './content';
import type { CutSource } from './volumes';

/** What a cell needs of the film that it is part of. */
export interface CellHost {
  readonly series: readonly SeriesInfo[];
  readonly frames: FrameProvider;
  readonly cuts: CutSource;
  /** How somebody saved the look of a frame; `null`: nobody did, or the reader does not want it. */
  presentationOf(frame: FrameInfo): PresentationState | null;
  /** The cell holds something else now: bring what is needed next. */
  onContent(cell: Cell): void;
  /** Real pixels are on the canvas. */
  onShown(cell: Cell): void;
}

const EMPTY: Content = { kind: 'empty' };

export class Cell {
  readonly content = signal<Content>(EMPTY);
  /** What is on the canvas, and which frame it is; both `null` until the first came. */
  readonly picture = signal<Picture | null>(null);
  readonly shown = signal<FrameRef | null>(null);
  readonly voi = signal<Voi | null>(null);
  readonly view = signal<View>(WHOLE_IMAGE);
  readonly isInverted = signal(false);
  /** The window that the reader chose for the series on screen; `null`: that of the object. */
  readonly chosen = signal<Voi | null>(null);
  /** How a rendered volume is looked at, as its viewport writes it; `null` elsewhere. */
  readonly camera = signal<object | null>(null);
  readonly fault = signal<FilmFault | null>(null);
  readonly isWaiting = computed(() => {
    const { wanted } = this;
    const isSharp = this.picture.value?.decoded.resolution !== 'coarse';
    return !this.fault.value && wanted !== null && !(isSharp && isSameFrame(this.shown.value, wanted));
  });

  private viewport: ImageViewport | null = null;
  /** Windows that the reader chose, by series; the others use the window of each frame. */
  private readonly chosenVoi = new Map<number, Voi>();

  constructor(private readonly host: CellHost) {}

  /** The frame that the reader asked for last; `null` when the cell holds no stack. */
  get wanted(): FrameRef | null {
    const content = this.content.value;
    return content.kind === 'stack' ? content : null;
  }

  get series(): SeriesInfo | null {
    const content = this.content.value;
    return content.kind === 'empty' ? null : this.host.series[content.series];
  }

  attach(viewport: ImageViewport | null): void {
    this.viewport = viewport;
    viewport?.setView(this.view.peek());
    const picture = this.picture.peek();
    if (viewport && picture) this.tryPaint(picture);
  }

  get canvas(): ImageViewport | null {
    return this.viewport;
  }

  clear(): void {
    batch(() => {
      this.content.value = EMPTY;
      this.takeDown();
    });
  }

  /** Takes the picture away: it would stand under the name of what is coming. */
  private takeDown(): void {
    this.picture.value = null;
    this.shown.value = null;
    this.voi.value = null;
    this.fault.value = null;
    this.viewport?.clear();
  }

  /** Shows a frame, at once when it waits decoded. Resolves when it is on screen, another is wanted, or a fault is shown. */
  async goto(ref: FrameRef): Promise<void> {
    if (!this.host.series[ref.series]?.frames[ref.frame]) {
      throw new RangeError(`the film has no frame ${ref.frame} in series ${ref.series}`);
    }
    const before = this.content.peek();
    batch(() => {
      if (before.kind !== 'stack' || before.series !== ref.series) {
        this.view.value = this.firstView(ref);
        this.takeDown();
      }
      this.content.value = { kind: 'stack', series: ref.series, frame: ref.frame };
      this.chosen.value = this.chosenVoi.get(ref.series) ?? null;
      this.fault.value = null;
    });
    this.viewport?.setView(this.view.peek());
    const arrived = this.host.frames.peek(ref);
    if (arrived) {
      this.showFrame(ref, arrived);
      this.host.onContent(this);
      return;
    }
    const coarse = this.host.frames.peekAny(ref);
    if (coarse) this.showFrame(ref, coarse);
    const coming = this.host.frames.getWhileWanted(ref);
    this.host.onContent(this);
    try {
      const decoded = await coming;
      if (isSameFrame(this.wanted, ref)) this.showFrame(ref, decoded);
    } catch (error) {
      if (isSameFrame(this.wanted, ref)) this.blame(error);
    }
  }

  /** Coarse pictures of its series came in: one is better than none. */
  onCoarse(series: number): void {
    const { wanted } = this;
    const isSharp = this.picture.peek()?.decoded.resolution !== 'coarse';
    if (wanted?.series !== series || (isSharp && isSameFrame(this.shown.peek(), wanted))) return;
    const coarse = this.host.frames.peekAny(wanted);
    if (coarse) this.showFrame(wanted, coarse);
  }

  /** Shows a cut out of a volume, or why there is none. */
  showCut(series: number, cut: (Content & { kind: 'mpr' })['cut']): void {
    const before = this.content.peek();
    batch(() => {
      if (before.kind !== 'mpr' || before.series !== series) {
        this.view.value = WHOLE_IMAGE;
        this.takeDown();
      }
      this.content.value = { kind: 'mpr', series, cut };
      this.chosen.value = this.chosenVoi.get(series) ?? null;
      this.shown.value = null;
    });
    this.viewport?.setView(this.view.peek());
    this.refreshCut();
    this.host.onContent(this);
  }

  /** The volume has more in it than before, or the cut has moved. */
  refreshCut(): void {
    const content = this.content.peek();
    if (content.kind !== 'mpr') return;
    try {
      const picture = this.host.cuts.cut(content.series, content.cut);
      if (picture) this.showPicture(picture);
      this.fault.value = null;
    } catch (error) {
      this.blame(error);
    }
  }

  holdVolume(series: number): void {
    batch(() => {
      this.content.value = { kind: 'volume', series };
      this.takeDown();
    });
  }

  setView(view: View): void {
    this.view.value = view;
    this.viewport?.setView(view);
  }

  zoomBy(factor: number): void {
    const picture = this.picture.peek();
    if (!picture || !this.viewport) return;
    const { stage } = this.viewport;
    this.setView(
      zoomed(picture.frame, this.view.peek(), stage, factor, { x: stage.width / 2, y: stage.height / 2 }),
    );
  }

  /** One image pixel on one pixel of the screen. */
  showNativeSize(): void {
    const picture = this.picture.peek();
    if (!picture || !this.viewport) return;
    const zoom = nativeZoom(
      picture.frame,
      this.view.peek(),
      this.viewport.stage,
      window.devicePixelRatio || 1,
    );
    this.setView({ ...this.view.peek(), zoom });
  }

  /** Sets the window of the series on screen. Colour has none. */
  setVoi(voi: Voi | null): void {
    const content = this.content.peek();
    if (content.kind === 'empty') return;
    if (voi) this.chosenVoi.set(content.series, clampVoi(voi));
    else this.chosenVoi.delete(content.series);
    this.chosen.value = this.chosenVoi.get(content.series) ?? null;
    this.repaint();
  }

  /** A window over all values on screen, or over all but the extremes; `null` for colour. */
  fittingVoi(to: 'all' | 'tissue'): Voi | null {
    const picture = this.picture.peek();
    if (!picture || !this.voi.peek()) return null;
    const windowOf = to === 'all' ? fullRange : autoWindow;
    return windowOf(picture.frame, picture.decoded.data, picture.series);
  }

  setInverted(isInverted: boolean): void {
    this.isInverted.value = isInverted;
    this.repaint();
  }

  /** The whole image, upright, through its own window. */
  reset(): void {
    this.setView(this.wanted ? this.firstView(this.wanted) : WHOLE_IMAGE);
    this.isInverted.value = false;
    this.setVoi(null);
  }

  private repaint(): void {
    const picture = this.picture.peek();
    if (picture) this.tryPaint(picture);
  }

  private showFrame(ref: FrameRef, decoded: DecodedFrame): void {
    const series = this.host.series[ref.series];
    if (!this.tryPaint({ series, frame: series.frames[ref.frame], decoded })) return;
    this.shown.value = { series: ref.series, frame: ref.frame };
    if (decoded.resolution !== 'coarse') this.host.onShown(this);
  }

  private showPicture(picture: Picture): void {
    if (this.tryPaint(picture)) this.host.onShown(this);
  }

  private tryPaint(picture: Picture): boolean {
    try {
      const look = this.lookAt(picture);
      this.viewport?.show(picture, look);
      batch(() => {
        this.picture.value = picture;
        this.voi.value = isGrey(picture.decoded.photometric) ? look.voi : null;
      });
      return true;
    } catch (error) {
      this.blame(error);
      return false;
    }
  }

  /** The whole image, turned as its presentation state says: there first turned, then flipped (PS3.3 C.10.6); here the other way round. */
  private firstView({ series, frame }: FrameRef): View {
    const state = this.host.presentationOf(this.host.series[series].frames[frame]);
    if (!state) return WHOLE_IMAGE;
    const rotation = state.flip ? (360 - state.rotation) % 360 : state.rotation;
    return { ...WHOLE_IMAGE, rotation, flipped: state.flip };
  }

  private lookAt({ frame, decoded, series }: Picture): Look {
    const content = this.content.peek();
    const chosen = content.kind === 'empty' ? undefined : this.chosenVoi.get(content.series);
    const isGreyscale = isGrey(decoded.photometric);
    const state = this.host.presentationOf(frame);
    const own = isGreyscale ? defaultVoi(frame, decoded.data, series) : { center: 0, width: 1 };
    const voi = chosen ?? state?.voi ?? own;
    return {
      voi,
      isInverted: this.isInverted.peek() !== (state?.inverse ?? false),
      usesVoiLut: !chosen && !state?.voi && frame.voi_lut !== null,
    };
  }

  private blame(error: unknown): void {
    const fault = error instanceof FilmFault ? error : new FilmFault('damaged', String(error));
    if (fault.kind !== 'aborted') this.fault.value = fault;
  }
}

/** Windows come from other pages too: what is no number stays out, and a width is never nothing. */
function clampVoi({ center, width }: Voi): Voi {
  if (!Number.isFinite(center) || !Number.isFinite(width)) throw new RangeError('a window is two numbers');
  return { center: clamp(center, -1e9, 1e9), width: clamp(width, 1e-6, 1e9) };
}
