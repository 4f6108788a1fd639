/** Which frames to bring before they are asked for. Pure. */

import type { SeriesInfo } from '../dicom/manifest';

/** Up to here the whole series is brought; of larger ones the neighbours only: the line may be a paid one. */
const WHOLE_SERIES_BYTES = 40e6;
const NEIGHBOURS = 16;

/** Frame indexes by urgency: both sides of `current` in turn, the side that the eye moves to first. */
export function prefetchPlan(series: SeriesInfo, current: number, direction: 1 | -1): number[] {
  const bytes = series.frames.reduce((sum, frame) => sum + frame.length, 0);
  const reach = bytes <= WHOLE_SERIES_BYTES ? series.frames.length : NEIGHBOURS;
  const plan: number[] = [];
  for (let distance = 1; distance <= reach; distance++) {
    for (const index of [current + direction * distance, current - direction * distance]) {
      if (index >= 0 && index < series.frames.length) plan.push(index);
    }
  }
  return plan;
}
