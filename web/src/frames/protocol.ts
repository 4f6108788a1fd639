/** What the page and its decode workers say to each other. */

import type { FrameInfo, SealedPack } from '../dicom/manifest';
import type { SampleArray } from '../dicom/samples';
import type { FaultKind } from '../faults';

export type Request =
  | { readonly kind: 'decode'; readonly id: number; readonly pack: SealedPack; readonly frame: FrameInfo }
  | { readonly kind: 'abort'; readonly id: number };

export interface DecodedFrame {
  readonly data: SampleArray;
  readonly photometric: string;
  /** Sealed bytes that came over the network for it: 0 when the store had them. */
  readonly fetched: number;
}

export type Reply =
  | ({ readonly id: number; readonly ok: true } & DecodedFrame)
  | { readonly id: number; readonly ok: false; readonly kind: FaultKind; readonly message: string };
