/** Which frames to bring before they are asked for. Pure. */

import type { FrameInfo, SeriesInfo } from '../dicom/manifest';
import type { Block } from './protocol';
import { type Quality, sourceOf } from './quality';

/** What may be brought ahead. */
export interface Allowance {
  /** Sealed bytes up to which the whole series is brought; of larger ones the neighbours only. */
  readonly sealed: number;
  /** Decoded bytes that may wait on the page. */
  readonly decoded: number;
}

/** For a line that nothing is known of: it may be a paid one. */
const CAREFUL: Allowance = { sealed: 40e6, decoded: 150e6 };
const NEIGHBOURS = 16;

/** Frame indexes by urgency: both sides of `current` in turn, the side that the eye moves to first. */
export function prefetchPlan(
  series: SeriesInfo,
  current: number,
  direction: 1 | -1,
  allowance: Allowance = CAREFUL,
  quality: Quality = 'lossless',
): number[] {
  const { frames } = series;
  const sealed = frames.reduce((sum, frame) => sum + sourceOf(frame, quality).length, 0);
  const decoded = frames.reduce((sum, frame) => sum + decodedSize(frame), 0);
  const isWhole = sealed <= allowance.sealed && decoded <= allowance.decoded;
  const fitting = Math.floor(allowance.decoded / 2 / decodedSize(frames[current]));
  const reach = isWhole ? frames.length : Math.min(NEIGHBOURS, Math.floor(fitting / 2));
  const plan: number[] = [];
  for (let distance = 1; distance <= reach; distance++) {
    for (const index of [current + direction * distance, current - direction * distance]) {
      if (index >= 0 && index < frames.length) plan.push(index);
    }
  }
  return plan;
}

/** A request costs a server some 4 ms and a store a fee, however little it asks for. */
const BLOCK_FRAMES = 8;
/** Above it a frame is worth a request of its own. */
const BLOCK_BYTES = 4e6;

/**
 * The frames of a series that are fetched together with `frame`: its neighbours up to one that `isThere` already. `null` where it
 * comes alone.
 */
export function blockOf(
  series: SeriesInfo,
  frame: number,
  quality: Quality,
  isThere: (frame: number) => boolean,
): Block | null {
  const { pack } = series.frames[frame];
  const isWanted = (index: number): boolean => series.frames[index]?.pack === pack && !isThere(index);
  const from = frame - (frame % BLOCK_FRAMES);
  let [first, last] = [frame, frame];
  while (first > from && isWanted(first - 1)) first--;
  while (last < from + BLOCK_FRAMES - 1 && isWanted(last + 1)) last++;
  const sources = series.frames.slice(first, last + 1).map((one) => sourceOf(one, quality));
  const start = Math.min(...sources.map(({ offset }) => offset));
  const end = Math.max(...sources.map(({ offset, length }) => offset + length));
  const wanted = sources.reduce((sum, { length }) => sum + length, 0);
  // what lies between them (headers, padding) is fetched too; elsewhere in the pack they are not neighbours
  const areNeighbours = wanted > 0.7 * (end - start);
  if (sources.length < 2 || end - start > BLOCK_BYTES || !areNeighbours) return null;
  return { name: `${series.packs[pack].object_id}/${quality}/${start}`, start, end };
}

export function decodedSize(frame: FrameInfo): number {
  return (frame.rows * frame.columns * frame.samples * frame.bits_allocated) / 8;
}
