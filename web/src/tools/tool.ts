/** What a tool is, and what it may do to the picture. One tool, one file; the registry lists them. */

import type { FrameInfo } from '../dicom/manifest';
import type { Voi } from '../dicom/voi';
import type { ScreenPoint, Size, View } from '../viewport/view';

/** The picture as tools see it. */
export interface Stage {
  readonly size: Size;
  /** The frame on screen, and its place in the stack. */
  readonly frame: FrameInfo;
  readonly index: number;
  readonly count: number;
  readonly view: View;
  /** `null` for colour. */
  readonly voi: Voi | null;
  scrollTo(index: number): void;
  setView(view: View): void;
  setVoi(voi: Voi): void;
}

/** Follows the pointer: called with where it is now, from the press to the release. */
export type Drag = (to: ScreenPoint) => void;

export interface Tool {
  readonly id: string;
  readonly label: string;
  /** An SVG path on a 24 × 24 grid, drawn with strokes. */
  readonly icon: string;
  /** The pointer went down at `from`. */
  start(stage: Stage, from: ScreenPoint): Drag;
}
