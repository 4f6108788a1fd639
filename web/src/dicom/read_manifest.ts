/** Reads a manifest and refuses what would make the viewer draw something wrong: counts, sizes, references. */

import { FilmFault } from '../faults';
import type { FrameInfo, FrameRef, Manifest, SeriesInfo } from './manifest';

const MAX_SAMPLES = 2 ** 28; // a frame of 16384 × 16384: more than any detector has, less than a phone's memory

/** Parses the JSON text. Raises `FilmFault('damaged')` with the place that is wrong. */
export function readManifest(text: string): Manifest {
  const manifest = parse(text);
  if (manifest.version !== 1) throw damaged(`manifest version ${String(manifest.version)} is not known`);
  if (!Array.isArray(manifest.series) || !Array.isArray(manifest.documents)) {
    throw damaged('the manifest has no list of series or documents');
  }
  manifest.series.forEach(checkSeries);
  return manifest;
}

/** The frame to open first; `null` when no series holds a frame. */
export function firstFrame(manifest: Manifest): FrameRef | null {
  const { first } = manifest;
  if (first && manifest.series[first.series]?.frames[first.frame]) return first;
  const series = manifest.series.findIndex((s) => s.frames.length > 0);
  return series < 0 ? null : { series, frame: Math.floor(manifest.series[series].frames.length / 2) };
}

function parse(text: string): Manifest {
  try {
    const value = JSON.parse(text) as Manifest | null;
    if (value && typeof value === 'object') return value;
  } catch {
    // said below
  }
  throw damaged('the manifest is not a JSON object');
}

function checkSeries(series: SeriesInfo, index: number): void {
  if (!Array.isArray(series?.packs) || !Array.isArray(series.frames)) {
    throw damaged(`series ${index} has no list of packs or frames`);
  }
  series.frames.forEach((frame, i) => {
    const wrong = problemOf(frame, series);
    if (wrong) throw damaged(`series ${index}, frame ${i}: ${wrong}`);
  });
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
  return null;
}

function damaged(message: string): FilmFault {
  return new FilmFault('damaged', message);
}
