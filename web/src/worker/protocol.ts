/** What the page and its decode workers say to each other. */

import type { SampleArray } from '../codec/samples';
import type { FaultKind } from '../faults';
import type { FrameInfo } from '../manifest/types';
import type { SealedPack } from '../sealed/opener';

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
