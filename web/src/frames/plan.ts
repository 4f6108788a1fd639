/** Which frames to bring before they are asked for. Pure. */

import type { FrameInfo, SeriesInfo } from '../dicom/manifest';
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

export function decodedSize(frame: FrameInfo): number {
  return (frame.rows * frame.columns * frame.samples * frame.bits_allocated) / 8;
}
