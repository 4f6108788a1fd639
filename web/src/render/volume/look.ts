/** What of a volume is seen and in which colours: presets and their tables. Pure. */

import type { Voi } from '../../dicom/voi';
import type { VolumeData } from '../../volume/volume';

/** [value, red, green, blue (0…255), opacity of 1 mm (0…1)]; linear between the points. */
export type TransferPoint = readonly [number, number, number, number, number];

export interface VolumePreset {
  readonly id: string;
  readonly label: string;
  /** `surface`: light on what is opaque; `mip`: the greatest value of every ray. */
  readonly mode: 'surface' | 'mip';
  /** Values of the points: in HU, or as shares of the window. */
  readonly scale: 'HU' | 'window';
  readonly points: readonly TransferPoint[];
}

const RAMP: readonly TransferPoint[] = [
  [0, 0, 0, 0, 1],
  [1, 255, 255, 255, 1],
];

export const PRESETS: readonly VolumePreset[] = [
  {
    id: 'bone',
    label: '骨骼',
    mode: 'surface',
    scale: 'HU',
    points: [
      [150, 150, 60, 40, 0],
      [250, 205, 150, 110, 0.12],
      [450, 240, 220, 180, 0.6],
      [1500, 255, 252, 240, 0.9],
    ],
  },
  {
    id: 'soft',
    label: '软组织',
    mode: 'surface',
    scale: 'HU',
    points: [
      [-160, 120, 60, 40, 0],
      [-60, 205, 140, 100, 0.03],
      [40, 225, 130, 105, 0.2],
      [180, 235, 170, 140, 0.45],
      [400, 250, 240, 215, 0.85],
    ],
  },
  {
    id: 'skin',
    label: '体表',
    mode: 'surface',
    scale: 'HU',
    points: [
      [-400, 180, 130, 110, 0],
      [-200, 225, 175, 145, 0.7],
      [1000, 250, 225, 205, 0.95],
    ],
  },
  {
    id: 'lung',
    label: '肺',
    mode: 'surface',
    scale: 'HU',
    points: [
      [-950, 40, 60, 90, 0],
      [-850, 90, 120, 160, 0.01],
      [-650, 170, 150, 150, 0.04],
      [-400, 215, 130, 110, 0.25],
      [-200, 225, 150, 120, 0.02],
      [0, 200, 120, 100, 0],
    ],
  },
  {
    id: 'vessels',
    label: '血管',
    mode: 'surface',
    scale: 'HU',
    points: [
      [120, 120, 10, 10, 0],
      [190, 200, 40, 30, 0.2],
      [350, 235, 110, 70, 0.7],
      [600, 250, 235, 200, 0.9],
    ],
  },
  {
    id: 'mr',
    label: '磁共振',
    mode: 'surface',
    scale: 'window',
    points: [
      [0.15, 40, 40, 50, 0],
      [0.35, 150, 130, 120, 0.05],
      [0.7, 225, 205, 185, 0.35],
      [1, 255, 250, 240, 0.8],
    ],
  },
  { id: 'mip', label: '最大密度', mode: 'mip', scale: 'window', points: RAMP },
];

/** Low and high ends along columns, rows and slices, as shares of the block. */
export type Crop = readonly [readonly [number, number], readonly [number, number], readonly [number, number]];

export const WHOLE: Crop = [
  [0, 1],
  [0, 1],
  [0, 1],
];

export interface VolumeLook {
  readonly preset: string;
  /** In output units: what shares are shares of, and how presets in HU are moved and stretched; `null`: as they are. */
  readonly window: Voi | null;
  readonly crop: Crop;
}

export function presetById(id: string): VolumePreset {
  return PRESETS.find((preset) => preset.id === id) ?? PRESETS[PRESETS.length - 1];
}

/** Presets that make sense for these values. */
export function presetsFor(volume: VolumeData): readonly VolumePreset[] {
  return PRESETS.filter(({ scale, id }) => (volume.unit === 'HU' ? id !== 'mr' : scale === 'window'));
}

export function firstLook(volume: VolumeData): VolumeLook {
  return { preset: volume.unit === 'HU' ? 'bone' : 'mr', window: null, crop: WHOLE };
}

/** The window of a look: the reader's, or the one that the preset was made for. */
export function windowOf(look: VolumeLook, range: readonly [number, number]): Voi {
  if (look.window) return look.window;
  const { scale, points, mode } = presetById(look.preset);
  if (mode === 'mip' || scale === 'window') return over(range[0], range[1]);
  return over(points[0][0], points[points.length - 1][0]);
}

function over(low: number, high: number): Voi {
  return { center: (low + high) / 2, width: Math.max(high - low, 1e-6) };
}

/** Entries of a table; values from `low` to `high` in output units, the ends hold beyond. */
export interface TransferTable {
  readonly low: number;
  readonly high: number;
  readonly mode: VolumePreset['mode'];
  /** `ENTRIES` × red, green, blue, and the square root of the opacity: small opacities need the steps. */
  readonly rgba: Uint8Array;
}

export const ENTRIES = 1024;

/** `range`: values of the volume that matter, in output units. */
export function tableOf(look: VolumeLook, range: readonly [number, number]): TransferTable {
  const preset = presetById(look.preset);
  const { center, width } = windowOf(look, range);
  const own = preset.points.map(([value]) => value);
  const [first, last] = [own[0], own[own.length - 1]];
  const share = (value: number): number => (preset.scale === 'HU' ? (value - first) / (last - first) : value);
  const low = center - width / 2;
  const rgba = new Uint8Array(4 * ENTRIES);
  for (let i = 0; i < ENTRIES; i++) {
    const at = i / (ENTRIES - 1);
    const [red, green, blue, opacity] = between(preset.points, share, at);
    rgba.set([red, green, blue, 255 * Math.sqrt(opacity)].map(Math.round), 4 * i);
  }
  return { low, high: low + width, mode: preset.mode, rgba };
}

function between(
  points: readonly TransferPoint[],
  share: (value: number) => number,
  at: number,
): readonly number[] {
  const above = points.findIndex(([value]) => share(value) >= at);
  if (above === -1) return points[points.length - 1].slice(1);
  if (above === 0) return points[0].slice(1);
  const [a, b] = [points[above - 1], points[above]];
  const part = (at - share(a[0])) / (share(b[0]) - share(a[0]));
  return [1, 2, 3, 4].map((i) => a[i] + (b[i] - a[i]) * part);
}

const CT_RANGE = [-1024, 3071] as const;
const TAIL = 0.002;

/** Output values of the volume without the extremes: what tables and textures have to tell apart. */
export function rangeOf(volume: VolumeData): readonly [number, number] {
  if (volume.unit === 'HU') return CT_RANGE;
  const { data, slope, intercept } = volume;
  const step = Math.max(1, Math.floor(data.length / 100_000));
  const sample = new Float64Array(Math.ceil(data.length / step));
  for (let i = 0, at = 0; i < data.length; i += step) sample[at++] = data[i] * slope + intercept;
  sample.sort();
  const [low, high] = [TAIL, 1 - TAIL].map((share) => sample[Math.round((sample.length - 1) * share)]);
  return high > low ? [low, high] : [low, low + 1];
}

/** A look that came from elsewhere, as far as it is one. */
export function readLook(written: unknown, volume: VolumeData): VolumeLook {
  const { preset, window, crop } = (written ?? {}) as Record<string, unknown>;
  const own = firstLook(volume);
  return {
    preset: PRESETS.some(({ id }) => id === preset) ? (preset as string) : own.preset,
    window: isWindow(window) ? { center: window.center, width: window.width } : null,
    crop: isCrop(crop) ? crop : WHOLE,
  };
}

function isWindow(written: unknown): written is Voi {
  const { center, width } = (written ?? {}) as Record<string, unknown>;
  return Number.isFinite(center) && Number.isFinite(width) && (width as number) > 0;
}

function isCrop(written: unknown): written is Crop {
  const isPair = (pair: unknown): boolean =>
    Array.isArray(pair) &&
    pair.length === 2 &&
    pair.every(Number.isFinite) &&
    pair[0] >= 0 &&
    pair[1] <= 1 &&
    pair[0] < pair[1];
  return Array.isArray(written) && written.length === 3 && written.every(isPair);
}
