/** One opened film: its layout of cells, the tool in hand, what several cells do together. */

import { batch, computed, signal } from '@preact/signals';
import type { FrameInfo, FrameRef, Manifest, PresentationState, SeriesInfo } from '../dicom/manifest';
import { spaceOf } from '../dicom/space';
import type { Voi } from '../dicom/voi';
import type { FrameProvider } from '../frames/provider';
import { clamp, type ImagePoint, type PatientPoint } from '../math/coordinates';
import { FIRST_TOOL } from '../tools/registry';
import type { Tool } from '../tools/tool';
import { AnnotationBook } from '../viewport/annotations/book';
import { isPresentationOf } from '../viewport/annotations/presentation';
import { type View, WHOLE_IMAGE } from '../viewport/view';
import { Cell, type CellHost } from './cell';
import { Cine } from './cine';
import { Comparison } from './compare';
import { isSameFrame, type Layout, MOST_ROWS } from './content';
import { LinkedScrolling } from './linked_scrolling';
import { bringToPoint } from './localisation';
import { ThreeD } from './three_d';
import type { CutSource } from './volumes';

const SINGLE: Layout = { rows: 1, columns: 1, mode: 'stack' };
/** How often the counter moves: each time costs a processor without a graphics card a drawing of the page. */
const COUNT_MS = 500;

export class FilmSession implements CellHost {
  readonly layout = signal<Layout>(SINGLE);
  readonly cells = signal<readonly Cell[]>([new Cell(this)]);
  readonly activeIndex = signal(0);
  readonly tool = signal<Tool>(FIRST_TOOL);
  /** The place that the reader pointed at, and in which space (`spaceOf`). */
  readonly point = signal<{ readonly at: PatientPoint; readonly space: string | null } | null>(null);
  /** Where somebody in a live room points. */
  readonly pointer = signal<{ readonly cell: number; readonly at: ImagePoint; readonly name: string } | null>(
    null,
  );
  /** Smaller, lossy 16-bit frames where the archive has them. */
  readonly isSaving = signal(false);
  readonly showsLines = signal(true);
  readonly showsText = signal(true);
  readonly showsPresentations = signal(true);
  /** Frames of the active cell's series that wait decoded. */
  readonly loaded = signal(0);
  private isCountDue = false;
  readonly annotations = new AnnotationBook();
  readonly linked = new LinkedScrolling(this);
  readonly cine = new Cine(this);
  readonly comparison = new Comparison(this);
  readonly threeD: ThreeD;
  /** Series of this film, then those of exams opened beside it. */
  readonly series: SeriesInfo[];
  readonly seriesCount = signal(0);
  readonly active = computed(() => this.cells.value[this.activeIndex.value]);

  private direction: 1 | -1 = 1;
  private isFirst = true;

  /** `onFirstFrame` is called once, when the first full-resolution frame has been drawn. */
  constructor(
    readonly manifest: Manifest,
    readonly frames: FrameProvider,
    private readonly onFirstFrame: () => void,
  ) {
    this.series = manifest.series as SeriesInfo[];
    this.seriesCount.value = this.series.length;
    this.threeD = new ThreeD(this);
    this.isSaving.value = frames.quality === 'lossy';
  }

  get cuts(): CutSource {
    return this.threeD;
  }

  presentationOf(frame: FrameInfo): PresentationState | null {
    if (!this.showsPresentations.peek()) return null;
    return this.manifest.presentations.find((state) => isPresentationOf(state, frame)) ?? null;
  }

  /** Shows pictures as somebody saved them, or as they came. */
  setPresentations(isOn: boolean): void {
    this.showsPresentations.value = isOn;
    for (const cell of this.cells.peek()) cell.reset();
  }

  activate(index: number): void {
    if (!this.cells.peek()[index] || index === this.activeIndex.peek()) return;
    this.activeIndex.value = index;
    this.countLoaded();
  }

  /** Goes to a frame in the active cell. */
  goto(ref: FrameRef): Promise<void> {
    return this.gotoIn(this.active.peek(), ref);
  }

  async gotoIn(cell: Cell, ref: FrameRef): Promise<void> {
    const before = cell.wanted;
    if (before?.series === ref.series && before.frame !== ref.frame) {
      this.direction = ref.frame > before.frame ? 1 : -1;
      this.linked.follow(cell, before.frame, ref.frame);
    }
    if (this.layout.peek().mode === 'sheet') await this.turnSheet(cell, ref);
    else await cell.goto(ref);
  }

  /** Tries the wanted frame again. */
  retry(cell: Cell): void {
    if (cell.wanted) void cell.goto(cell.wanted);
    else cell.refreshCut();
  }

  step(frames: number): void {
    const cell = this.active.peek();
    if (cell.wanted) this.scrollTo(cell, cell.wanted.frame + frames);
    else this.threeD.stepCut(cell, frames);
  }

  scrollTo(cell: Cell, frame: number): void {
    const { wanted } = cell;
    if (!wanted) return;
    const to = clamp(frame, 0, this.series[wanted.series].frames.length - 1);
    if (to !== wanted.frame) void this.gotoIn(cell, { series: wanted.series, frame: to });
  }

  /** Opens a series in a cell, in its middle; on a sheet it is the sheet's from its first page. */
  openSeries(series: number, index = this.activeIndex.peek()): void {
    const info = this.series[series];
    const cell = this.cells.peek()[index];
    if (!info?.frames.length || !cell) return;
    this.activate(index);
    const isSheet = this.layout.peek().mode === 'sheet';
    void this.gotoIn(cell, { series, frame: isSheet ? index : Math.floor(info.frames.length / 2) });
  }

  /** Lays the stage out anew; new cells get the series that are not on it yet. */
  setLayout(layout: Layout): void {
    const [rows, columns] = [layout.rows, layout.columns].map((n) => clamp(Math.floor(n), 1, MOST_ROWS));
    const before = this.cells.peek();
    const lead = this.active.peek();
    const kept = [lead, ...before.filter((cell) => cell !== lead)];
    const count = rows * columns;
    const inOrder = before.length <= count ? [...before] : kept.slice(0, count);
    const added = Array.from({ length: Math.max(0, count - inOrder.length) }, () => new Cell(this));
    const cells = [...inOrder, ...added];
    batch(() => {
      this.layout.value = { rows, columns, mode: layout.mode };
      this.cells.value = cells;
      this.activeIndex.value = Math.max(0, cells.indexOf(lead));
    });
    if (layout.mode === 'sheet') this.spreadSheet(lead);
    else this.fillWithSeries(added);
    this.onContent(this.active.peek());
  }

  /** Two pictures beside each other change together on a sheet. */
  setView(cell: Cell, view: View): void {
    for (const one of this.together(cell)) one.setView(view);
  }

  setVoi(cell: Cell, voi: Voi | null): void {
    for (const one of this.together(cell)) one.setVoi(voi);
  }

  fitVoi(cell: Cell, to: 'all' | 'tissue'): void {
    const voi = cell.fittingVoi(to);
    if (voi) this.setVoi(cell, voi);
  }

  setInverted(cell: Cell, isInverted: boolean): void {
    for (const one of this.together(cell)) one.setInverted(isInverted);
  }

  reset(): void {
    for (const cell of this.together(this.active.peek())) cell.reset();
  }

  /** Brings every cell of the same frame of reference to a place, and marks it (E19, E20). */
  goToPoint(from: Cell, at: PatientPoint): void {
    if (from.series) this.point.value = { at, space: spaceOf(from.series) };
    bringToPoint(this, from, at);
  }

  /** The next frame that somebody marked as a key image, from the one on screen on. */
  nextKeyImage(): void {
    const keys = this.manifest.key_images.flatMap(({ instance, frame }) => this.find(instance, frame) ?? []);
    if (keys.length === 0) return;
    const now = this.active.peek().wanted;
    const at = keys.findIndex((ref) => isSameFrame(ref, now));
    void this.goto(keys[(at + 1) % keys.length]);
  }

  /** Where a frame is in the film; `null` when it has none such. */
  find(instance: string, frame: number): FrameRef | null {
    for (let series = 0; series < this.series.length; series++) {
      const at = this.series[series].frames.findIndex(
        (one) => one.instance === instance && one.frame === frame,
      );
      if (at >= 0) return { series, frame: at };
    }
    return null;
  }

  /** Chooses between exact frames and smaller lossy ones; what is on screen is brought anew. */
  setSaving(isSaving: boolean): void {
    this.isSaving.value = isSaving;
    this.frames.quality = isSaving ? 'lossy' : 'lossless';
    for (const cell of this.cells.peek()) if (cell.wanted) void cell.goto(cell.wanted);
  }

  /** Adds the series of another exam; answers the index of the first. */
  addSeries(series: readonly SeriesInfo[]): number {
    const first = this.series.length;
    this.series.push(...series);
    this.seriesCount.value = this.series.length;
    return first;
  }

  /** A frame came in, asked for or brought ahead. */
  onArrival(ref: FrameRef): void {
    if (ref.series === this.active.peek().wanted?.series) this.countSoon();
  }

  onCoarse(series: number, frames: readonly number[]): void {
    for (const cell of this.cells.peek()) {
      if (cell.wanted && frames.includes(cell.wanted.frame)) cell.onCoarse(series);
    }
  }

  onContent(_cell: Cell): void {
    this.countLoaded();
    const visible = this.cells.peek().flatMap((cell) => (cell.wanted ? [cell.wanted] : []));
    const lead = this.active.peek().wanted ?? visible[0];
    if (!lead) return;
    for (const { series } of visible) this.frames.coarse(series);
    this.frames.prefetchAround(lead, this.direction, visible);
  }

  onShown(_cell: Cell): void {
    if (!this.isFirst) return;
    this.isFirst = false;
    // registered after the viewport's own callback, so it runs when the picture has been drawn
    requestAnimationFrame(this.onFirstFrame);
  }

  /** Cells that are looked at alike: all of a sheet, else the one. */
  private together(cell: Cell): readonly Cell[] {
    return this.layout.peek().mode === 'sheet' ? this.cells.peek() : [cell];
  }

  private async turnSheet(cell: Cell, { series, frame }: FrameRef): Promise<void> {
    const cells = this.cells.peek();
    const { length } = this.series[series].frames;
    const first = clamp(frame - cells.indexOf(cell), 0, Math.max(0, length - cells.length));
    await Promise.all(
      cells.map((one, i) => {
        if (first + i < length) return one.goto({ series, frame: first + i });
        one.clear();
        return undefined;
      }),
    );
  }

  private spreadSheet(lead: Cell): void {
    const wanted = lead.wanted ?? this.cells.peek().find((cell) => cell.wanted)?.wanted;
    if (!wanted) return;
    const view = { ...lead.view.peek(), zoom: WHOLE_IMAGE.zoom, centre: WHOLE_IMAGE.centre };
    const [voi, isInverted] = [lead.chosen.peek(), lead.isInverted.peek()];
    void this.turnSheet(this.cells.peek()[0], wanted);
    // at once, not when the frames have come: by then the reader may have changed it
    for (const cell of this.cells.peek()) {
      cell.setView(view);
      cell.setVoi(voi);
      cell.setInverted(isInverted);
    }
  }

  private fillWithSeries(added: readonly Cell[]): void {
    const onStage = new Set(this.cells.peek().map((cell) => cell.wanted?.series));
    const waiting = this.series
      .map((_, i) => i)
      .filter((i) => !onStage.has(i) && this.series[i].frames.length > 0);
    for (const cell of added) {
      const series = waiting.shift();
      if (series === undefined) return;
      void cell.goto({ series, frame: Math.floor(this.series[series].frames.length / 2) });
    }
  }

  /** Counting asks for every frame of the series: at each of 2000 arrivals that would be 4 million questions. */
  private countSoon(): void {
    if (this.isCountDue) return;
    this.isCountDue = true;
    setTimeout(() => {
      this.isCountDue = false;
      this.countLoaded();
    }, COUNT_MS);
  }

  private countLoaded(): void {
    const series = this.active.peek().wanted?.series;
    if (series === undefined) return;
    const { frames } = this.series[series];
    this.loaded.value = frames.reduce((n, _, frame) => n + (this.frames.has({ series, frame }) ? 1 : 0), 0);
  }
}
