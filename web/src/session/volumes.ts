/** Where cells get cuts from. The volumes themselves come with the lazily loaded part of the viewer. */

import type { Picture } from '../viewport/image_viewport';
import type { Cut } from './content';

export interface CutSource {
  /** The cut as a picture; `null` while nothing of the volume is there. Raises `FilmFault` when the series is none. */
  cut(series: number, cut: Cut): Picture | null;
}
