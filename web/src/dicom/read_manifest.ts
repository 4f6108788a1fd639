/** Reads a manifest and refuses what would make the viewer draw something wrong: counts, sizes, references. */

import { FilmFault } from '../faults';
import type { FrameInfo, FrameRef, Manifest, SeriesInfo } from './manifest';
import { type FoldedSeries, unfoldSeries } from './unfold_series';

const MAX_SAMPLES = 2 ** 28; // a frame of 16384 × 16384: more than any detector has, less than a phone's memory

/** Fields that a manifest may leave out, with what their absence means. */
const SILENT: Record<string, unknown> = {
  exam_id: 0,
  watermark: null,
  may: { save_annotations: false, live: false, download: false },
  documents: [],
  presentations: [],
  key_images: [],
  history: [],
  first: null,
};

/** Parses the JSON text. Raises `FilmFault('damaged')` with the place that is wrong. */
export function readManifest(text: string): Manifest {
  const written = parse(text);
  if (written.version !== 2 && written.version !== 1)
    throw damaged(`manifest version ${String(written.version)} is not known`);
  const manifest = { ...SILENT, ...written };
  for (const list of ['series', 'documents', 'presentations', 'key_images', 'history'] as const) {
    if (!Array.isArray(manifest[list])) throw damaged(`the manifest has no list of ${list}`);
  }
  const series = (manifest.series as unknown[]).map(readSeries);
  return { ...manifest, series } as unknown as Manifest;
}

/** The frame to open first; `null` when no series holds a frame. */
export function firstFrame(manifest: Manifest): FrameRef | null {
  const { first } = manifest;
  if (first && manifest.series[first.series]?.frames[first.frame]) return first;
  const series = manifest.series.findIndex((s) => s.frames.length > 0);
  return series < 0 ? null : { series, frame: Math.floor(manifest.series[series].frames.length / 2) };
}

function parse(text: string): Record<string, unknown> {
  try {
    const value = JSON.parse(text) as Record<string, unknown> | null;
    if (value && typeof value === 'object') return value;
  } catch {
    // said below
  }
  throw damaged('the manifest is not a JSON object');
}

function readSeries(written: unknown, index: number): SeriesInfo {
  if (!written || typeof written !== 'object') throw damaged(`series ${index} is not an object`);
  if (!Array.isArray((written as SeriesInfo).packs)) throw damaged(`series ${index} has no list of packs`);
  const series = unfold(written as FoldedSeries, index);
  series.frames.forEach((frame, i) => {
    const wrong = problemOf(frame, series);
    if (wrong) throw damaged(`series ${index}, frame ${i}: ${wrong}`);
  });
  return series;
}

function unfold(written: FoldedSeries, index: number): SeriesInfo {
  try {
    return unfoldSeries(written);
  } catch (error) {
    throw damaged(`series ${index}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function problemOf(frame: FrameInfo, series: SeriesInfo): string | null {
  const isCount = (n: unknown): n is number => Number.isSafeInteger(n) && (n as number) > 0;
  if (!series.packs[frame?.pack]) return 'its pack does not exist';
  if (!isCount(frame.length) || !Number.isSafeInteger(frame.offset) || frame.offset < 0)
    return 'its place is wrong';
  if (!isCount(frame.rows) || !isCount(frame.columns) || (frame.samples !== 1 && frame.samples !== 3)) {
    return 'its size is wrong';
  }
  if (frame.rows * frame.columns * frame.samples > MAX_SAMPLES) return 'it is too large';
  if (![8, 16, 32].includes(frame.bits_allocated))
    return `${frame.bits_allocated} bits per sample are not known`;
  if (!isCount(frame.bits_stored) || frame.bits_stored > frame.bits_allocated)
    return 'its bits stored are wrong';
  if (!Number.isFinite(frame.slope) || !Number.isFinite(frame.intercept))
    return 'its rescale is not a number';
  if (!Array.isArray(frame.center) || !Array.isArray(frame.width)) return 'its windows are not lists';
  if (!isNumbers(frame.spacing, 2) || !isNumbers(frame.position, 3) || !isNumbers(frame.orientation, 6)) {
    return 'its place in space is not numbers';
  }
  if (frame.spacing && !(frame.spacing[0] > 0 && frame.spacing[1] > 0)) return 'its spacing is not positive';
  return null;
}

function isNumbers(value: unknown, count: number): boolean {
  return value === null || (Array.isArray(value) && value.length === count && value.every(Number.isFinite));
}

function damaged(message: string): FilmFault {
  return new FilmFault('damaged', message);
}
