/** `window.cloudfilm`: what scripts of the page, plug-ins and the postMessage bridge may ask and do (F6; docs/viewer.md). */

import { sm3Hex } from '../decode/sm4/sm3';
import type { FrameRef } from '../dicom/manifest';
import { bytesOf } from '../dicom/samples';
import { clamp } from '../math/coordinates';
import type { Content, Layout } from '../session/content';
import type { FilmSession } from '../session/film_session';
import { registerTools, toolById } from '../tools/registry';
import type { Tool } from '../tools/tool';
import { MAX_ZOOM, MIN_ZOOM, rotated, type View } from '../viewport/view';

export interface FilmState {
  /** What the reader asked for in the active cell and what is on screen; indexes from 0; `null` outside stacks. */
  readonly wanted: FrameRef | null;
  readonly shown: FrameRef | null;
  /** Output units (HU in CT); `null` for colour. */
  readonly window: { readonly center: number; readonly width: number } | null;
  readonly view: View;
  readonly inverted: boolean;
  readonly tool: string;
  readonly fault: string | null;
  readonly layout: Layout;
  readonly active: number;
  readonly cells: readonly Content[];
  /** `coarse`, `lossy` or `full`: what the picture of the active cell was made from. */
  readonly resolution: string | null;
  readonly volume: { readonly full: number; readonly total: number } | null;
  /** Frames of the series that wait decoded. */
  readonly loaded: number;
  /** Frames of the series that are there at 32² or more. */
  readonly coarse: number;
  /** Sealed bytes that the viewer brought over the network since it was opened. */
  readonly fetched: number;
  /** How many annotations the film has. */
  readonly annotations: number;
}

export interface FilmControl {
  state(): FilmState;
  goto(series: number, frame: number): Promise<void>;
  setWindow(center: number, width: number): void;
  setView(view: Partial<View>): void;
  setInverted(isInverted: boolean): void;
  setTool(id: string): void;
  setLayout(rows: number, columns: number, mode?: 'stack' | 'sheet'): void;
  activate(cell: number): void;
  openSeries(series: number, cell?: number): void;
  reset(): void;
  play(framesPerSecond?: number): void;
  stop(): void;
  openMpr(series: number): Promise<void>;
  openVolume(series: number): Promise<void>;
  compare(examId: number): Promise<void>;
  annotations(): unknown;
  addTool(tool: Tool): void;
  /** SM3 of the RGBA bytes on the canvas of the active cell. */
  pixelDigest(): string;
  /** SM3 of the decoded samples of a frame, little-endian, as in an uncompressed object. */
  frameBytes(series: number, frame: number): Promise<string>;
}

declare global {
  interface Window {
    cloudfilm?: FilmControl;
  }
}

export function stateOf(session: FilmSession): FilmState {
  const cell = session.active.value;
  const content = cell.content.value;
  return {
    wanted: content.kind === 'stack' ? { series: content.series, frame: content.frame } : null,
    shown: cell.shown.value,
    window: cell.voi.value,
    view: cell.view.value,
    inverted: cell.isInverted.value,
    tool: session.tool.value.id,
    fault: cell.fault.value?.kind ?? null,
    layout: session.layout.value,
    active: session.activeIndex.value,
    cells: session.cells.value.map((one) => one.content.value),
    resolution: cell.picture.value ? (cell.picture.value.decoded.resolution ?? 'full') : null,
    volume: session.threeD.progress.value,
    loaded: session.loaded.value,
    coarse: 'series' in content ? session.frames.coarse(content.series).arrived : 0,
    fetched: session.frames.fetchedBytes,
    annotations: session.annotations.all.value.length,
  };
}

export function createControl(session: FilmSession): FilmControl {
  const active = () => session.active.peek();
  return {
    state: () => stateOf(session),
    goto: async (series, frame) =>
      session.goto({ series: seriesIndex(session, series), frame: whole(frame) }),
    setWindow: (center, width) => session.setVoi(active(), { center, width }),
    setView: (view) => session.setView(active(), readView({ ...active().view.peek(), ...view })),
    setInverted: (isInverted) => session.setInverted(active(), isInverted === true),
    setTool: (id) => {
      const tool = toolById(id);
      if (!tool) throw new RangeError(`there is no tool ${id}`);
      session.tool.value = tool;
    },
    setLayout: (rows, columns, mode = 'stack') => {
      if (mode !== 'stack' && mode !== 'sheet') throw new RangeError('a layout is a stack or a sheet');
      session.setLayout({ rows: whole(rows), columns: whole(columns), mode });
    },
    activate: (cell) => session.activate(whole(cell)),
    openSeries: (series, cell) =>
      session.openSeries(seriesIndex(session, series), cell === undefined ? undefined : whole(cell)),
    reset: () => session.reset(),
    play: (rate) => {
      session.cine.start();
      if (rate !== undefined) session.cine.setRate(rate);
    },
    stop: () => session.cine.stop(),
    openMpr: async (series) => session.threeD.openMpr(seriesIndex(session, series)),
    openVolume: async (series) => session.threeD.openVolume(seriesIndex(session, series)),
    compare: async (examId) => session.comparison.open(whole(examId)),
    annotations: () => session.annotations.toJSON(),
    addTool: (tool) => registerTools([tool]),
    pixelDigest: () => {
      const pixels = active().canvas?.readPixels();
      return sm3Hex(pixels ? new Uint8Array(pixels.buffer) : new Uint8Array(0));
    },
    frameBytes: async (series, frame) => sm3Hex(bytesOf((await session.frames.get({ series, frame })).data)),
  };
}

/** What callers outside hand over may be anything. Raises `RangeError`. */
function whole(value: unknown): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw new RangeError('a whole number is needed');
  return value as number;
}

function seriesIndex(session: FilmSession, value: unknown): number {
  const index = whole(value);
  if (!session.series[index]) throw new RangeError(`the film has no series ${index}`);
  return index;
}

function readView({ zoom, centre, rotation, flipped }: View): View {
  if (![zoom, centre?.x, centre?.y, rotation].every(Number.isFinite))
    throw new RangeError('a view is zoom, centre {x, y} and rotation in numbers');
  const view = { zoom: clamp(zoom, MIN_ZOOM, MAX_ZOOM), rotation: 0, flipped: flipped === true };
  return rotated({ ...view, centre: { x: clamp(centre.x, 0, 1), y: clamp(centre.y, 0, 1) } }, rotation);
}
