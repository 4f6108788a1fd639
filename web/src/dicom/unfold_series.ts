/** A series as the manifest writes it (fields common to all frames, columns of those that differ) → frames. */

import type { FrameInfo, SeriesInfo } from './manifest';

const MAX_FRAMES = 50_000; // a whole-slide level has more tiles than any other series has frames

/** Fields that a server may leave out, with what their absence means. */
const SILENT = {
  received_lossy: false,
  planar: 0,
  big_endian: false,
  unit: '',
  center: [],
  width: [],
  window_names: [],
  voi_function: 'LINEAR',
  voi_lut: null,
  modality_lut: null,
  palette: null,
  spacing: null,
  pixel_aspect: null,
  regions: null,
  position: null,
  orientation: null,
  patient_orientation: null,
  laterality: '',
  view_position: '',
  image_type: [],
  frame_time_ms: null,
  number: null,
  frame: 1,
  levels: null,
  lossy: null,
} as const satisfies Partial<FrameInfo>;

type Fields = Record<string, unknown>;

export interface FoldedSeries {
  readonly count: number;
  readonly common: Fields;
  readonly columns: Record<string, readonly unknown[]>;
  readonly instance_prefix?: string;
  readonly [field: string]: unknown;
}

/** Unfolds one series. Raises `RangeError` that says what is wrong; single frames are checked by the caller. */
export function unfoldSeries(folded: FoldedSeries): SeriesInfo {
  if (Array.isArray(folded.frames)) return unfoldSeries(fold(folded, folded.frames));
  const { count, common, columns, instance_prefix: prefix = '' } = folded;
  if (!Number.isSafeInteger(count) || count < 0 || count > MAX_FRAMES)
    throw new RangeError('its count is wrong');
  if (!isObject(common) || !isObject(columns)) throw new RangeError('its fields are missing');
  const names = Object.keys(columns);
  for (const name of names) {
    if (!Array.isArray(columns[name]) || columns[name].length !== count) {
      throw new RangeError(`column ${name} has not ${count} values`);
    }
  }
  const shared = { ...SILENT, ...common };
  const frames: FrameInfo[] = [];
  for (let i = 0; i < count; i++) {
    const frame: Fields = { ...shared };
    for (const name of names) frame[name] = columns[name][i];
    frame.instance = prefix + String(frame.instance ?? '');
    frame.spacing_kind ??= frame.spacing ? 'patient' : 'none';
    frames.push(frame as unknown as FrameInfo);
  }
  return { ...SERIES_SILENT, ...rest(folded), frames } as unknown as SeriesInfo;
}

/** Version 1 lists the frames one by one. */
function fold(series: FoldedSeries, frames: readonly Fields[]): FoldedSeries {
  const { frames: _, ...others } = series;
  const names = new Set(frames.flatMap((frame) => (isObject(frame) ? Object.keys(frame) : [])));
  const columns = Object.fromEntries([...names].map((name) => [name, frames.map((frame) => frame[name])]));
  return { ...others, count: frames.length, common: {}, columns };
}

const SERIES_SILENT = {
  study_uid: '',
  exam_id: 0,
  body_part: '',
  thumbnail: null,
  frame_of_reference: null,
  tables: [],
  low: null,
  notice: null,
};

function rest(folded: FoldedSeries): Fields {
  const { count: _c, common: _o, columns: _l, instance_prefix: _p, ...others } = folded;
  return others;
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
