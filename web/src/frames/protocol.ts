/** What the page and its decode workers say to each other. */

import type { FrameShape } from '../decode/codec/samples';
import type { FrameInfo, SealedPack } from '../dicom/manifest';
import type { SampleArray } from '../dicom/samples';
import type { FaultKind } from '../faults';

/** The codestream's bytes up to a resolution, and how many finer levels are left out then. */
export interface Cut {
  readonly bytes: number;
  readonly skip: number;
}

export interface FrameRequest {
  readonly kind: 'frame';
  readonly pack: SealedPack;
  readonly frame: FrameInfo;
  /** On a slow line: these bytes first, shown while the rest comes. */
  readonly preview: Cut | null;
  /** On a fast line, ahead of the reader: neighbours that are fetched by one request. */
  readonly block: Block | null;
}

/** Frames beside each other in a pack. One worker gets all jobs of a block, the first one fetches for the others. */
export interface Block {
  readonly name: string;
  /** Plain bytes [start, end) that hold them. */
  readonly start: number;
  readonly end: number;
}

/** The coarse levels of a frame in low.bin. */
export interface CoarsePart {
  readonly index: number;
  readonly shape: FrameShape;
  /** Bytes in low.bin: up to 32², and what 64² needs beyond. */
  readonly at: number;
  readonly length: number;
  readonly moreAt: number;
  readonly moreLength: number;
  readonly skip: number;
  /** `null`: there is no second resolution. */
  readonly moreSkip: number | null;
}

export interface SeriesRequest {
  readonly kind: 'series';
  readonly pack: SealedPack;
  /** Where low.bin lies in the pack. */
  readonly offset: number;
  readonly length: number;
  readonly parts: readonly CoarsePart[];
}

export type JobRequest = FrameRequest | SeriesRequest;
export type Request =
  | ({ readonly id: number } & JobRequest)
  | { readonly kind: 'abort'; readonly id: number };

export interface DecodedFrame {
  readonly data: SampleArray;
  readonly photometric: string;
  /** Size of what was decoded, where it is smaller than the frame. */
  readonly columns?: number;
  readonly rows?: number;
  /** `full` where nothing is said. */
  readonly resolution?: 'coarse' | 'lossy' | 'full';
  /** Sealed bytes that came over the network for it: 0 when the store had them. */
  readonly fetched: number;
}

/** A frame at a lower resolution; `index` as the request numbers frames, 0 for a preview. */
export interface CoarseFrame extends DecodedFrame {
  readonly index: number;
  readonly columns: number;
  readonly rows: number;
  readonly resolution: 'coarse';
}

/** Sealed bytes that came over the network since the last word of a job, and how long they took. */
export interface Traffic {
  readonly fetched: number;
  readonly milliseconds: number;
}

export type Reply = { readonly id: number } & (
  | ({ readonly kind: 'coarse'; readonly frames: readonly CoarseFrame[] } & Traffic)
  /** The job's end; `null` when frames came as `coarse` only. */
  | ({ readonly kind: 'done'; readonly frame: DecodedFrame | null } & Traffic)
  | { readonly kind: 'fault'; readonly fault: FaultKind; readonly message: string }
);
