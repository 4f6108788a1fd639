/** What a tool is, and what it may do to the picture. One tool, one file; the registry lists them. */

import type { FrameInfo, SeriesInfo } from '../dicom/manifest';
import type { Voi } from '../dicom/voi';
import type { DecodedFrame } from '../frames/protocol';
import type { ImagePoint, PatientPoint, ScreenPoint, Size } from '../math/coordinates';
import type { Plane } from '../math/plane';
import type { AnnotationBook } from '../viewport/annotations/book';
import type { View } from '../viewport/view';
import type { VolumeData } from '../volume/volume';

/** The picture of one cell as tools see it; a slice cut out of a volume is a picture like any other. */
export interface Stage {
  readonly size: Size;
  readonly series: SeriesInfo;
  /** The frame on screen, its samples, and its place in the stack. */
  readonly frame: FrameInfo;
  readonly decoded: DecodedFrame;
  readonly index: number;
  readonly count: number;
  /** Where the picture lies in the patient; `null` when the object does not say. */
  readonly plane: Plane | null;
  readonly view: View;
  /** `null` for colour. */
  readonly voi: Voi | null;
  /** The volume that the picture was cut from; `null` for a slice as it was taken. */
  readonly volume: VolumeData | null;
  readonly annotations: AnnotationBook;
  toImage(point: ScreenPoint): ImagePoint;
  toScreen(point: ImagePoint): ScreenPoint;
  scrollTo(index: number): void;
  setView(view: View): void;
  setVoi(voi: Voi): void;
  /** Holds the magnifying glass over a point; `null` takes it away. */
  magnify(at: ScreenPoint | null): void;
  /** Brings every picture of the same frame of reference to this point, and marks it. */
  goToPoint(point: PatientPoint): void;
  /** Asks the reader for a line of text; `null` when it was given up. */
  ask(question: string, before: string): Promise<string | null>;
}

/** Follows the pointer from the press to the release; `cancel`: a second finger came, nothing was meant. */
export interface Drag {
  move(to: ScreenPoint): void;
  end?(at: ScreenPoint): void;
  cancel?(): void;
}

export interface Tool {
  readonly id: string;
  readonly label: string;
  /** An SVG path on a 24 × 24 grid, drawn with strokes. */
  readonly icon: string;
  readonly group: 'view' | 'measure' | 'space';
  /** The pointer went down at `from`; `null`: the tool has nothing to do there. */
  start(stage: Stage, from: ScreenPoint): Drag | null;
}
