/** What a cell of the layout holds. Plain data: it goes to a live room and comes back as it was. */

import type { FrameRef } from '../dicom/manifest';
import type { PatientPoint, Vector } from '../math/coordinates';

export const BLENDS = ['mean', 'max', 'min'] as const;
export type Blend = (typeof BLENDS)[number];

/** A slice cut out of a volume: its middle, the directions of its rows and columns, and how thick it is. */
export interface Cut {
  readonly centre: PatientPoint;
  readonly right: Vector;
  readonly down: Vector;
  readonly slab_mm: number;
  readonly blend: Blend;
}

export type Content =
  | { readonly kind: 'empty' }
  | ({ readonly kind: 'stack' } & FrameRef)
  | { readonly kind: 'mpr'; readonly series: number; readonly cut: Cut }
  | { readonly kind: 'volume'; readonly series: number };

export interface Layout {
  readonly rows: number;
  readonly columns: number;
  /** `sheet`: all cells show one series, one page of film after the other. */
  readonly mode: 'stack' | 'sheet';
}

export const MOST_ROWS = 4;

export function isSameFrame(a: FrameRef | null, b: FrameRef | null): boolean {
  return a?.series === b?.series && a?.frame === b?.frame;
}
