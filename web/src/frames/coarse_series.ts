/** A whole series at up to 64² a slice, as it comes in from low.bin: what scrolling, MPR and volumes stand on at first. */

import type { FrameInfo, SeriesInfo } from '../dicom/manifest';
import type { CoarseFrame, CoarsePart, Cut, SeriesRequest } from './protocol';

/** A preview takes no more than this share of a frame's bytes. */
const PREVIEW_SHARE = 0.3;

export class CoarseSeries {
  /** By index in the series; holes where nothing came yet or nothing coarse exists. */
  readonly frames: (CoarseFrame | undefined)[] = [];
  /** Every frame that has coarse levels is here, at 32² or less; also when reading failed: then fewer are. */
  readonly small: Promise<void>;
  /** They are here at 64², and no more comes. */
  readonly complete: Promise<void>;

  /** Frames that are here at some resolution. */
  arrived = 0;

  private tellSmall: () => void = () => undefined;
  private tellComplete: () => void = () => undefined;

  /** `expected`: how many frames will come. */
  constructor(private readonly expected: number) {
    this.small = new Promise((resolve) => {
      this.tellSmall = resolve;
    });
    this.complete = new Promise((resolve) => {
      this.tellComplete = resolve;
    });
  }

  take(frames: readonly CoarseFrame[]): void {
    for (const frame of frames) {
      if (!this.frames[frame.index]) this.arrived++;
      this.frames[frame.index] = frame;
    }
    if (this.arrived === this.expected) this.tellSmall();
  }

  /** No more comes. */
  end(): void {
    this.tellSmall();
    this.tellComplete();
  }
}

/** What to ask a worker for; `null` when the series has no coarse levels that could be shown. */
export function seriesRequest(series: SeriesInfo): SeriesRequest | null {
  const { low } = series;
  const pack = low && series.packs[low.pack];
  if (!low || !pack) return null;
  const parts = series.frames.flatMap((frame, index) =>
    coarsePart(frame, index, low.parts[index], low.length),
  );
  return parts.length > 0 ? { kind: 'series', pack, offset: low.offset, length: low.length, parts } : null;
}

function coarsePart(
  frame: FrameInfo,
  index: number,
  place: readonly [number, number, number, number] | null | undefined,
  end: number,
): CoarsePart[] {
  if (!place || !frame.levels || !mayBeCoarse(frame)) return [];
  const [at, length, moreAt, moreLength] = place;
  const skip = skipOf(frame.levels, length);
  if (skip === null || !isInside(at, length, end) || !isInside(moreAt, moreLength, end)) return [];
  const moreSkip = moreLength > 0 ? skipOf(frame.levels, length + moreLength) : null;
  const { codec, rows, columns, samples, bits_allocated, signed, photometric } = frame;
  const shape = { codec, rows, columns, samples, bits_allocated, signed, photometric };
  return [{ index, shape, at, length, moreAt, moreLength, skip, moreSkip }];
}

function isInside(at: number, length: number, end: number): boolean {
  return (
    Number.isSafeInteger(at) && Number.isSafeInteger(length) && at >= 0 && length >= 0 && at + length <= end
  );
}

/** How many levels are left out when the codestream ends behind `bytes`; `null` when no level ends there. */
function skipOf(levels: readonly number[], bytes: number): number | null {
  const at = levels.indexOf(bytes);
  return at < 0 ? null : levels.length - 1 - at;
}

/** The mean of neighbouring indexes into a palette is no colour of the picture. */
export function mayBeCoarse(frame: FrameInfo): boolean {
  return frame.codec === 'htj2k' && frame.photometric !== 'PALETTE COLOR';
}

/** The first bytes of a frame that are worth a picture of their own; `null` when there are none. */
export function previewCut(frame: FrameInfo): Cut | null {
  const { levels } = frame;
  if (!levels || !mayBeCoarse(frame)) return null;
  for (let at = levels.length - 2; at >= 0; at--) {
    if (levels[at] > 0 && levels[at] <= frame.length * PREVIEW_SHARE) {
      return { bytes: levels[at], skip: levels.length - 1 - at };
    }
  }
  return null;
}
