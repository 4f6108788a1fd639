/** Why a series is no volume, and what the reader should know of one that is. Words are in the ui. */

import { FilmFault } from '../faults';

export type RefusalReason =
  | 'no_place' // frames without position, orientation or spacing
  | 'colour'
  | 'too_few' // fewer than three slices in one direction
  | 'uneven' // a gap in the stack
  | 'duplicates' // several pictures of one place that nothing tells apart
  | 'scattered' // slices that do not lie on one line
  | 'too_large';

export class VolumeRefused extends FilmFault {
  /** `detail`: mm of the gap, number of slices, bytes: what `reason` counts. */
  constructor(
    readonly reason: RefusalReason,
    readonly detail = 0,
  ) {
    super('unsupported', `the series is no volume: ${reason} (${detail})`);
  }
}

export type VolumeNotice =
  | { readonly code: 'part'; readonly used: number; readonly of: number } // one stack out of several
  | { readonly code: 'resampled'; readonly spacing: number } // uneven slices, brought to even ones
  | { readonly code: 'tilted'; readonly degrees: number }
  | { readonly code: 'shrunk'; readonly by: number } // in-plane resolution divided, for memory
  | { readonly code: 'rescaled' }; // slices with scales of their own, brought to one
