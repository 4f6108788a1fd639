/** Windows that radiologists call by name, in HU; only CT has a scale on which they mean something. */

import type { Voi } from './voi';

export interface Preset extends Voi {
  readonly label: string;
}

const CT: readonly Preset[] = [
  { label: '软组织', center: 40, width: 400 },
  { label: '肺', center: -600, width: 1500 },
  { label: '骨', center: 400, width: 1800 },
  { label: '脑', center: 40, width: 80 },
  { label: '纵隔', center: 50, width: 350 },
  { label: '肝', center: 60, width: 160 },
];

export function presetsOf(modality: string): readonly Preset[] {
  return modality === 'CT' ? CT : [];
}
