/** One opened film: where the reader is, what is on screen, what is awaited. The ui reads its signals, tools act on it. */

import { batch, computed, signal } from '@preact/signals';
import type { FrameRef, Manifest, SeriesInfo } from '../dicom/manifest';
import { defaultVoi, fullRange, type Voi } from '../dicom/voi';
import { FilmFault } from '../faults';
import { prefetchPlan } from '../frames/plan';
import type { DecodedFrame } from '../frames/protocol';
import type { FrameProvider } from '../frames/provider';
import { isGrey } from '../render/paint';
import { FIRST_TOOL } from '../tools/registry';
import type { Stage, Tool } from '../tools/tool';
import type { Viewport } from '../viewport/stack_viewport';
import { clamp, type View, WHOLE_IMAGE, zoomed } from '../viewport/view';

export class FilmSession {
  /** The frame that the reader asked for last. */
  readonly wanted = signal<FrameRef>({ series: 0, frame: 0 });
  /** The frame whose pixels are on the canvas; `null` until the first one came. */
  readonly shown = signal<FrameRef | null>(null);
  readonly voi = signal<Voi | null>(null);
  readonly view = signal<View>(WHOLE_IMAGE);
  readonly tool = signal<Tool>(FIRST_TOOL);
  readonly fault = signal<FilmFault | null>(null);
  /** Frames of the wanted series that wait decoded. */
  readonly loaded = signal(0);
  readonly isWaiting = computed(() => !this.fault.value && !isSame(this.shown.value, this.wanted.value));

  private viewport: Viewport | null = null;
  /** Windows that the reader chose, by series; the others use the window of each frame. */
  private readonly chosenVoi = new Map<number, Voi>();
  private direction: 1 | -1 = 1;

  /** `onFirstFrame` is called once, when the first full-resolution frame has been drawn. */
  constructor(
    readonly manifest: Manifest,
    private readonly frames: FrameProvider,
    private readonly onFirstFrame: () => void,
  ) {}

  get series(): SeriesInfo {
    return this.manifest.series[this.wanted.value.series];
  }

  attach(viewport: Viewport): void {
    this.viewport = viewport;
  }

  /** Shows a frame, at once when it waits decoded. Resolves when it is on screen, another is wanted, or a fault is shown. */
  async goto(ref: FrameRef): Promise<void> {
    if (!this.manifest.series[ref.series]?.frames[ref.frame]) {
      throw new RangeError(`the film has no frame ${ref.frame} in series ${ref.series}`);
    }
    const before = this.wanted.value;
    if (ref.series === before.series && ref.frame !== before.frame) {
      this.direction = ref.frame > before.frame ? 1 : -1;
    }
    batch(() => {
      this.wanted.value = ref;
      this.fault.value = null;
    });
    this.countLoaded(ref);
    const arrived = this.frames.peek(ref);
    if (arrived) {
      this.tryShow(ref, arrived);
      this.prefetch(ref);
      return;
    }
    const coming = this.frames.getWhileWanted(ref);
    this.prefetch(ref);
    try {
      const decoded = await coming;
      if (isSame(this.wanted.value, ref)) this.tryShow(ref, decoded);
    } catch (error) {
      this.blame(ref, error);
    }
  }

  /** Tries the wanted frame again. */
  retry(): void {
    void this.goto(this.wanted.value);
  }

  step(frames: number): void {
    this.scrollTo(this.wanted.value.frame + frames);
  }

  scrollTo(frame: number): void {
    const { series } = this.wanted.value;
    const to = clamp(frame, 0, this.series.frames.length - 1);
    if (to !== this.wanted.value.frame) void this.goto({ series, frame: to });
  }

  /** Opens a series in its middle, the whole image in sight. */
  openSeries(series: number): void {
    const info = this.manifest.series[series];
    if (!info?.frames.length || series === this.wanted.value.series) return;
    this.setView(WHOLE_IMAGE);
    void this.goto({ series, frame: Math.floor(info.frames.length / 2) });
  }

  setView(view: View): void {
    this.view.value = view;
    this.viewport?.setView(view);
  }

  zoomBy(factor: number): void {
    const stage = this.stage();
    if (!stage) return;
    const middle = { x: stage.size.width / 2, y: stage.size.height / 2 };
    this.setView(zoomed(stage.frame, stage.view, stage.size, factor, middle));
  }

  /** Sets the window of the series on screen. Colour has none. */
  setVoi(voi: Voi): void {
    const { shown } = this;
    if (!shown.value || !this.voi.value) return;
    this.chosenVoi.set(shown.value.series, voi);
    this.reshow();
  }

  /** A window over all values of the frame on screen. */
  setFullRange(): void {
    const ref = this.shown.value;
    const decoded = ref && this.frames.peek(ref);
    if (ref && decoded && this.voi.value) this.setVoi(fullRange(this.frameOf(ref), decoded.data));
  }

  /** The whole image, through its own window. */
  reset(): void {
    this.setView(WHOLE_IMAGE);
    if (this.shown.value && this.chosenVoi.delete(this.shown.value.series)) this.reshow();
  }

  /** The picture for tools; `null` while there is none. */
  stage(): Stage | null {
    const { viewport, shown } = this;
    if (!viewport || !shown.value) return null;
    const session = this;
    const frame = this.frameOf(shown.value);
    return {
      frame,
      count: this.series.frames.length,
      get size() {
        return viewport.stage;
      },
      get index() {
        return session.wanted.value.frame;
      },
      get view() {
        return session.view.value;
      },
      get voi() {
        return session.voi.value;
      },
      scrollTo: (index) => this.scrollTo(index),
      setView: (view) => this.setView(view),
      setVoi: (voi) => this.setVoi(voi),
    };
  }

  /** The RGBA bytes on the canvas; none before it is there. */
  canvasPixels(): Uint8Array {
    return this.viewport ? new Uint8Array(this.viewport.pixels().buffer) : new Uint8Array(0);
  }

  /** A frame came in, asked for or brought ahead. */
  onArrival(ref: FrameRef): void {
    if (ref.series === this.wanted.value.series) this.countLoaded(ref);
  }

  private reshow(): void {
    const ref = this.shown.value;
    if (!ref) return;
    const decoded = this.frames.peek(ref);
    if (decoded) this.tryShow(ref, decoded);
    else void this.frames.get(ref).then((again) => isSame(this.shown.value, ref) && this.tryShow(ref, again));
  }

  private tryShow(ref: FrameRef, decoded: DecodedFrame): void {
    const frame = this.frameOf(ref);
    const voi = this.chosenVoi.get(ref.series) ?? defaultVoi(frame, decoded.data);
    try {
      this.viewport?.show(frame, decoded, voi);
    } catch (error) {
      this.blame(ref, error);
      return;
    }
    const isFirst = this.shown.value === null;
    batch(() => {
      this.shown.value = ref;
      this.voi.value = isGrey(decoded.photometric) ? voi : null;
    });
    // registered after the viewport's own callback, so it runs when the picture has been drawn
    if (isFirst) requestAnimationFrame(this.onFirstFrame);
  }

  private blame(ref: FrameRef, error: unknown): void {
    const fault = error instanceof FilmFault ? error : new FilmFault('damaged', String(error));
    if (fault.kind === 'aborted' || !isSame(this.wanted.value, ref)) return;
    this.fault.value = fault;
  }

  private prefetch({ series, frame }: FrameRef): void {
    const plan = prefetchPlan(this.manifest.series[series], frame, this.direction);
    this.frames.prefetch([frame, ...plan].map((index) => ({ series, frame: index })));
  }

  private countLoaded({ series }: FrameRef): void {
    const { frames } = this.manifest.series[series];
    this.loaded.value = frames.reduce((n, _, frame) => n + (this.frames.has({ series, frame }) ? 1 : 0), 0);
  }

  private frameOf(ref: FrameRef): SeriesInfo['frames'][number] {
    return this.manifest.series[ref.series].frames[ref.frame];
  }
}

function isSame(a: FrameRef | null, b: FrameRef): boolean {
  return a?.series === b.series && a?.frame === b.frame;
}
