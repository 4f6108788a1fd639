/** Which of a frame's codestreams is brought: the exact one, or the smaller 16-bit lossy one where the reader chose to save data. */

import type { FrameInfo } from '../dicom/manifest';

export type Quality = 'lossless' | 'lossy';

/** Whether a frame has a smaller form that may stand for it; a palette's indexes have none. */
export function hasLossy(frame: FrameInfo): boolean {
  return frame.lossy !== null && frame.photometric !== 'PALETTE COLOR';
}

/** The frame as it is to be brought. */
export function sourceOf(frame: FrameInfo, quality: Quality): FrameInfo {
  if (quality === 'lossless' || !frame.lossy || !hasLossy(frame)) return frame;
  return { ...frame, ...frame.lossy, codec: 'htj2k', levels: null, lossy: null };
}
