/** One scale for all slices of a volume: what its voxels hold, and how a frame's samples become that. */

import { lutOf } from '../dicom/luts';
import type { FrameInfo, SeriesInfo } from '../dicom/manifest';
import type { SampleArray } from '../dicom/samples';
import { outputValue, storedValue } from '../dicom/voi';

type Kind = 'u8' | 'u16' | 'i16' | 'u32' | 'i32';

export interface SampleScale {
  readonly kind: Kind;
  /** Voxel → output unit. */
  readonly slope: number;
  readonly intercept: number;
  /** Voxel of air (CT), else of the value 0, as near as the kind can say it. */
  readonly outside: number;
  /** Slices had scales of their own. */
  readonly isCommon: boolean;
}

const RANGES: Record<Kind, readonly [number, number]> = {
  u8: [0, 0xff],
  u16: [0, 0xffff],
  i16: [-0x8000, 0x7fff],
  u32: [0, 0xffffffff],
  i32: [-0x80000000, 0x7fffffff],
};
const AIR_HU = -1024;

export function isGreyFrame({ samples, photometric }: FrameInfo): boolean {
  return samples === 1 && photometric.startsWith('MONOCHROME');
}

export function bytesPerVoxel({ kind }: SampleScale): number {
  return Number(kind.slice(1)) / 8;
}

export function allocate({ kind }: SampleScale, count: number): SampleArray {
  const makers = {
    u8: Uint8Array,
    u16: Uint16Array,
    i16: Int16Array,
    u32: Uint32Array,
    i32: Int32Array,
  } as const;
  return new makers[kind](count);
}

/** The scale for these frames. */
export function scaleFor(frames: readonly FrameInfo[], series: SeriesInfo): SampleScale {
  const [first] = frames;
  const isOne = frames.every(
    (frame) =>
      frame.modality_lut === null &&
      frame.slope === first.slope &&
      frame.intercept === first.intercept &&
      frame.signed === first.signed &&
      frame.bits_stored === first.bits_stored,
  );
  return isOne ? ownScale(first) : commonScale(frames, series);
}

function ownScale(frame: FrameInfo): SampleScale {
  const bits = frame.bits_stored <= 8 ? 8 : frame.bits_stored <= 16 ? 16 : 32;
  // 8-bit signed values need 16: pictures keep bytes as patterns
  const kind = frame.signed ? (bits === 32 ? 'i32' : 'i16') : (`u${bits}` as Kind);
  const { slope, intercept } = frame;
  return { kind, slope, intercept, outside: airOf(kind, slope, intercept, frame.unit), isCommon: false };
}

/** 16 bits over everything that the frames could say: PET slices have slopes of their own. */
function commonScale(frames: readonly FrameInfo[], series: SeriesInfo): SampleScale {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const frame of frames) {
    const ends = frame.modality_lut === null ? linearEnds(frame) : lutEnds(frame.modality_lut, series);
    low = Math.min(low, ...ends);
    high = Math.max(high, ...ends);
  }
  const isWhole =
    Number.isInteger(low) && high - low <= 0xffff && frames.every(({ slope }) => Number.isInteger(slope));
  const slope = isWhole ? 1 : (high - low) / 0xffff || 1; // whole numbers stay what they are
  return {
    kind: 'u16',
    slope,
    intercept: low,
    outside: airOf('u16', slope, low, frames[0].unit),
    isCommon: true,
  };
}

function linearEnds({ signed, bits_stored, slope, intercept }: FrameInfo): readonly number[] {
  const ends = signed ? [-(2 ** (bits_stored - 1)), 2 ** (bits_stored - 1) - 1] : [0, 2 ** bits_stored - 1];
  return ends.map((stored) => stored * slope + intercept);
}

function lutEnds(index: number, series: SeriesInfo): readonly number[] {
  const entries = lutOf(series, index)?.entries ?? [];
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const entry of entries) {
    low = Math.min(low, entry);
    high = Math.max(high, entry);
  }
  return [low, high];
}

function airOf(kind: Kind, slope: number, intercept: number, unit: string): number {
  const [low, high] = RANGES[kind];
  const stored = Math.round(((unit === 'HU' ? AIR_HU : 0) - intercept) / (slope || 1));
  return Math.min(high, Math.max(low, stored));
}

/** Writes the samples of a frame as voxels into `voxels`, which is as long. */
export function convert(
  samples: SampleArray,
  frame: FrameInfo,
  scale: SampleScale,
  series: SeriesInfo,
  voxels: SampleArray,
): void {
  if (!scale.isCommon && isClean(frame)) {
    voxels.set(samples);
    return;
  }
  if (!scale.isCommon) {
    for (let i = 0; i < samples.length; i++) voxels[i] = storedValue(samples[i], frame);
    return;
  }
  const modality = lutOf(series, frame.modality_lut);
  for (let i = 0; i < samples.length; i++) {
    const value = outputValue(storedValue(samples[i], frame), frame, modality);
    voxels[i] = (value - scale.intercept) / scale.slope + 0.5;
  }
}

/** Whether every bit of a sample is stored, so that the arrays agree as they are. */
function isClean({ bits_stored, signed }: FrameInfo): boolean {
  return bits_stored === 16 || bits_stored === 32 || (bits_stored === 8 && !signed);
}
