/** Windows that radiologists call by name. Only CT has a scale on which numbers mean something; others get their own. */

import type { FrameInfo } from './manifest';
import { ownWindows, type Voi } from './voi';

export interface Preset extends Voi {
  readonly label: string;
}

/** In HU. */
const CT: readonly Preset[] = [
  { label: '软组织', center: 40, width: 400 },
  { label: '肺', center: -600, width: 1500 },
  { label: '骨', center: 400, width: 1800 },
  { label: '脑', center: 40, width: 80 },
  { label: '纵隔', center: 50, width: 350 },
  { label: '肝', center: 60, width: 160 },
  { label: '血管', center: 200, width: 600 },
  { label: '颅底', center: 600, width: 2800 },
];

/** The windows of the object first, under their own names, then those of the modality. */
export function presetsOf(modality: string, frame: FrameInfo): readonly Preset[] {
  const own = ownWindows(frame).map((voi, i) => ({ ...voi, label: voi.label || `原始 ${i + 1}` }));
  return modality === 'CT' ? [...own, ...CT] : own;
}
