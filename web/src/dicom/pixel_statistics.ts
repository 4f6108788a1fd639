/** What the values under a figure are: number, mean, standard deviation, smallest, largest. Pure. */

import type { ImagePoint } from '../math/coordinates';
import { lutOf } from './luts';
import type { FrameInfo, SeriesInfo } from './manifest';
import type { SampleArray } from './samples';
import { outputValue, storedValue } from './voi';

/** The decoded samples as far as values are concerned. */
export interface Samples {
  readonly data: SampleArray;
  readonly photometric: string;
  readonly resolution?: 'coarse' | 'lossy' | 'full';
}

export interface Statistics {
  /** Pixels whose centre is inside. */
  readonly count: number;
  readonly mean: number;
  /** Of all the pixels (divided by their number, not by one less). */
  readonly sd: number;
  readonly min: number;
  readonly max: number;
  /** HU …; empty where the object names none or its values went through a table that is no straight line. */
  readonly unit: string;
}

/** A figure of image points; boxes by two opposite corners. */
export type Area =
  | { readonly shape: 'rectangle' | 'ellipse'; readonly points: readonly [ImagePoint, ImagePoint] }
  | { readonly shape: 'polygon'; readonly points: readonly ImagePoint[] };

type Tables = Pick<SeriesInfo, 'tables'>;

/** Whether samples stand for values: of one colour, in full size, and not changed by compression for a quick look. */
export function hasValues({ data, photometric, resolution = 'full' }: Samples, frame: FrameInfo): boolean {
  const isMonochrome = photometric === 'MONOCHROME1' || photometric === 'MONOCHROME2';
  return (
    isMonochrome && resolution === 'full' && frame.samples === 1 && data.length === frame.rows * frame.columns
  );
}

/** The value of the pixel under `point` in output units; `null` outside the picture or where there are no values. */
export function valueAt(
  samples: Samples,
  frame: FrameInfo,
  series: Tables,
  point: ImagePoint,
): number | null {
  const [x, y] = [Math.floor(point.x), Math.floor(point.y)];
  const isInside = x >= 0 && y >= 0 && x < frame.columns && y < frame.rows;
  if (!isInside || !hasValues(samples, frame)) return null;
  const stored = storedValue(samples.data[y * frame.columns + x], frame);
  return outputValue(stored, frame, lutOf(series, frame.modality_lut));
}

/** `null` where there are no values, or no pixel's centre is inside. */
export function statisticsIn(
  samples: Samples,
  frame: FrameInfo,
  series: Tables,
  area: Area,
): Statistics | null {
  if (!hasValues(samples, frame)) return null;
  const spans = spansOf(area, frame);
  const modality = lutOf(series, frame.modality_lut);
  const read = (at: number): number => outputValue(storedValue(samples.data[at], frame), frame, modality);
  let [count, sum, min, max] = [0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  forEachPixel(spans, frame.columns, (at) => {
    const value = read(at);
    count++;
    sum += value;
    if (value < min) min = value;
    if (value > max) max = value;
  });
  if (count === 0) return null;
  const mean = sum / count;
  let squares = 0; // a second pass: the difference of large sums would have no digits left
  forEachPixel(spans, frame.columns, (at) => {
    squares += (read(at) - mean) ** 2;
  });
  return { count, mean, sd: Math.sqrt(squares / count), min, max, unit: unitOf(frame) };
}

/** The unit of output values. */
export function unitOf(frame: FrameInfo): string {
  return frame.modality_lut === null ? frame.unit : '';
}

/** Pixels of one row from `from` up to and without `to`. */
interface Span {
  readonly row: number;
  readonly from: number;
  readonly to: number;
}

function forEachPixel(spans: readonly Span[], columns: number, see: (at: number) => void): void {
  for (const { row, from, to } of spans) {
    for (let at = row * columns + from; at < row * columns + to; at++) see(at);
  }
}

/** The pixels whose centres are inside, clipped to the picture. */
function spansOf(area: Area, { rows, columns }: FrameInfo): readonly Span[] {
  const ys = area.points.map(({ y }) => y);
  const first = Math.max(0, Math.ceil(Math.min(...ys) - 0.5));
  const last = Math.min(rows - 1, Math.ceil(Math.max(...ys) - 0.5) - 1);
  const spans: Span[] = [];
  for (let row = first; row <= last; row++) {
    const crossings = crossingsOf(area, row + 0.5);
    for (let i = 0; i + 1 < crossings.length; i += 2) {
      const from = Math.max(0, Math.ceil(crossings[i] - 0.5));
      const to = Math.min(columns, Math.ceil(crossings[i + 1] - 0.5));
      if (to > from) spans.push({ row, from, to });
    }
  }
  return spans;
}

/** Where the outline crosses the line at height `y`, from left to right. */
function crossingsOf(area: Area, y: number): readonly number[] {
  if (area.shape === 'polygon') return polygonCrossings(area.points, y);
  const [a, b] = area.points;
  if (area.shape === 'rectangle') return [Math.min(a.x, b.x), Math.max(a.x, b.x)];
  const [middle, reach] = [(a.x + b.x) / 2, Math.abs(b.x - a.x) / 2];
  const height = Math.abs(b.y - a.y) / 2;
  const up = (y - (a.y + b.y) / 2) / height;
  const half = reach * Math.sqrt(Math.max(0, 1 - up * up));
  return [middle - half, middle + half];
}

function polygonCrossings(points: readonly ImagePoint[], y: number): readonly number[] {
  const found: number[] = [];
  for (let i = 0; i < points.length; i++) {
    const [a, b] = [points[i], points[(i + 1) % points.length]];
    if (a.y <= y === b.y <= y) continue; // a corner on the line counts for one of its two sides
    found.push(a.x + ((y - a.y) / (b.y - a.y)) * (b.x - a.x));
  }
  return found.sort((left, right) => left - right);
}
