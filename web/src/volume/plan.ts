/** Whether and how the frames of a series are a volume: geometry, scale, memory. Pure; nothing is loaded here. */

import type { mat4 } from 'gl-matrix';
import { planeOf } from '../dicom/frame_plane';
import type { FrameInfo, SeriesInfo } from '../dicom/manifest';
import type { Vector } from '../math/coordinates';
import { add, cross, dot, length, normalize, scale, subtract } from '../math/vector';
import { affineOf, inverseOf, mapPoint } from './affine';
import { type VolumeNotice, VolumeRefused } from './refusal';
import { bytesPerVoxel, type SampleScale, scaleFor } from './sample_scale';
import { largestStack, type Slice, type Stack } from './stacks';

/** Where a slice of the volume comes from: frames of the series, `share` of the second one. */
export interface SliceSource {
  readonly from: number;
  readonly to: number;
  readonly share: number;
}

export interface VolumePlan {
  readonly series: SeriesInfo;
  readonly size: readonly [number, number, number];
  readonly sources: readonly SliceSource[];
  /** Every `shrink` × `shrink` pixels of a frame are one voxel, their mean. */
  readonly shrink: number;
  readonly scale: SampleScale;
  readonly toPatient: mat4;
  readonly toVoxel: mat4;
  readonly template: FrameInfo;
  readonly bytes: number;
  readonly notices: readonly VolumeNotice[];
}

export const MOST_BYTES = 1.2e9; // a typed array beyond it fails in browsers of 4 GB machines
const WIDEST_GAP = 2.5; // medians: one missing slice (2) is bridged, two are not
const FARTHEST_MM = 1e6; // a kilometre from the origin is no place of a patient, and sums of such numbers overflow
const EVEN = 0.05; // of the step: spacings are written rounded (0.6, 0.7 for 0.625)
const STRAIGHT_PIXELS = 0.5;
const UPRIGHT_DEGREES = 0.1;
const MOST_SHRINK = 4;

/** `budget`: bytes that the voxels may take, at most `MOST_BYTES`. Raises `VolumeRefused`. */
export function planVolume(series: SeriesInfo, budget = MOST_BYTES): VolumePlan {
  const stack = largestStack(series);
  const { slices } = stack;
  const isNear = ({ frame }: Slice): boolean =>
    (frame.position ?? []).every((x) => Math.abs(x) < FARTHEST_MM);
  if (!slices.every(isNear)) throw new VolumeRefused('scattered');
  const line = lineThrough(slices);
  const { sources, step } = evenSlices(slices);
  const frames = slices.map(({ frame }) => frame);
  const scaling = scaleFor(frames, series);
  const [{ frame: first }] = slices;
  const { shrink, bytes } = shrinkToFit(first, sources.length, bytesPerVoxel(scaling), budget);
  const toPatient = placeOf(first, scale(line, step), shrink);
  const size = [Math.floor(first.columns / shrink), Math.floor(first.rows / shrink), sources.length] as const;
  return {
    series,
    size,
    sources,
    shrink,
    scale: scaling,
    toPatient,
    toVoxel: inverseOf(toPatient),
    template: slices[slices.length >> 1].frame,
    bytes,
    notices: noticesOf(series, stack, { line, sources, step, shrink, scaling }),
  };
}

/** mm in the patient per mm along the normal, from the first slice to the last. Raises `VolumeRefused('scattered')`. */
function lineThrough(slices: readonly Slice[]): Vector {
  const positionOf = ({ frame }: Slice): Vector => frame.position as Vector;
  const [first, last] = [slices[0], slices[slices.length - 1]];
  const line = scale(subtract(positionOf(last), positionOf(first)), 1 / (last.along - first.along));
  const tolerance = STRAIGHT_PIXELS * Math.min(...(first.frame.spacing as readonly number[]));
  for (const slice of slices) {
    const expected = add(positionOf(first), scale(line, slice.along - first.along));
    const off = length(subtract(positionOf(slice), expected));
    if (off > tolerance) throw new VolumeRefused('scattered', off);
  }
  return line;
}

/** Slices at even steps: as they are, or between their neighbours. Raises `VolumeRefused('uneven')`. */
function evenSlices(slices: readonly Slice[]): { sources: readonly SliceSource[]; step: number } {
  const steps = slices.slice(1).map(({ along }, i) => along - slices[i].along);
  const median = [...steps].sort((a, b) => a - b)[steps.length >> 1];
  const widest = steps.reduce((a, b) => Math.max(a, b));
  if (widest > WIDEST_GAP * median) throw new VolumeRefused('uneven', widest);
  const [first, last] = [slices[0].along, slices[slices.length - 1].along];
  const mean = (last - first) / steps.length;
  const isEven = slices.every(({ along }, i) => Math.abs(along - first - i * mean) <= EVEN * mean);
  if (isEven) {
    return { step: mean, sources: slices.map(({ index }) => ({ from: index, to: index, share: 0 })) };
  }
  const count = Math.max(2, Math.round((last - first) / median)) + 1;
  const step = (last - first) / (count - 1);
  let below = 0;
  const sources = Array.from({ length: count }, (_, k) => {
    const along = first + k * step;
    while (below < slices.length - 2 && slices[below + 1].along <= along) below++;
    const [a, b] = [slices[below], slices[below + 1]];
    return sourceBetween(a, b, (along - a.along) / (b.along - a.along));
  });
  return { step, sources };
}

function sourceBetween(a: Slice, b: Slice, share: number): SliceSource {
  if (share < 0.001) return { from: a.index, to: a.index, share: 0 };
  if (share > 0.999) return { from: b.index, to: b.index, share: 0 };
  return { from: a.index, to: b.index, share };
}

/** Raises `VolumeRefused('too_large')`. */
function shrinkToFit(
  frame: FrameInfo,
  slices: number,
  voxel: number,
  budget: number,
): { shrink: number; bytes: number } {
  const most = Math.min(budget, MOST_BYTES);
  let bytes = 0;
  for (let shrink = 1; shrink <= MOST_SHRINK; shrink *= 2) {
    bytes = Math.floor(frame.columns / shrink) * Math.floor(frame.rows / shrink) * slices * voxel;
    if (bytes > 0 && bytes <= most) return { shrink, bytes };
  }
  throw new VolumeRefused('too_large', bytes);
}

/** Voxel centres → patient. A voxel of `shrink` pixels has its centre between theirs. */
function placeOf(frame: FrameInfo, step: Vector, shrink: number): mat4 {
  const plane = planeOf(frame);
  if (!plane) throw new VolumeRefused('no_place');
  const across = scale(plane.right, plane.spacing[1]);
  const down = scale(squared(plane.right, plane.down), plane.spacing[0]);
  const pixels = affineOf(across, down, step, plane.origin);
  const middle = (shrink - 1) / 2;
  return affineOf(scale(across, shrink), scale(down, shrink), step, mapPoint(pixels, [middle, middle, 0]));
}

/** `down` at a right angle to `right`: cosines are written with few digits. */
function squared(right: Vector, down: Vector): Vector {
  return normalize(subtract(down, scale(right, dot(right, down))));
}

interface Found {
  readonly line: Vector;
  readonly sources: readonly SliceSource[];
  readonly step: number;
  readonly shrink: number;
  readonly scaling: SampleScale;
}

function noticesOf(series: SeriesInfo, { slices, normal }: Stack, found: Found): readonly VolumeNotice[] {
  const notices: VolumeNotice[] = [];
  const [used, of] = [slices.length, series.frames.length];
  if (used < of) notices.push({ code: 'part', used, of });
  const isResampled = found.sources.some(({ from, to }) => from !== to);
  if (isResampled) notices.push({ code: 'resampled', spacing: found.step });
  const tilt = Math.atan2(length(cross(found.line, normal)), dot(found.line, normal));
  const degrees = (tilt * 180) / Math.PI;
  if (degrees > UPRIGHT_DEGREES) notices.push({ code: 'tilted', degrees });
  if (found.shrink > 1) notices.push({ code: 'shrunk', by: found.shrink });
  if (found.scaling.isCommon) notices.push({ code: 'rescaled' });
  return notices;
}
