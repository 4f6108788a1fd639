/** VOI windows and the tables that turn stored values into grey levels. Pure. */

import type { FrameInfo } from './manifest';
import type { SampleArray } from './samples';

/** A VOI window in output units (HU in CT). */
export interface Voi {
  readonly center: number;
  readonly width: number;
}

/**
 * Grey level 0…255 of an output value, linear function of DICOM PS3.3 C.11.2.1.2.1. Its `width − 1` makes no sense
 * below a width of 1 (values like SUV): there the LINEAR_EXACT function of C.11.2.1.3.2 is used.
 */
export function greyOf(value: number, voi: Voi): number {
  const isExact = voi.width < 1;
  const center = isExact ? voi.center : voi.center - 0.5;
  const width = isExact ? voi.width : voi.width - 1;
  if (value <= center - width / 2) return 0;
  if (value > center + width / 2) return 255;
  return ((value - center) / width + 0.5) * 255;
}

/**
 * The value that a sample's bits stand for. Bits above `bits_stored` may hold anything (old overlays, PS3.5 8.1.1), so
 * they are cut off, and the sign is taken from the highest stored bit.
 */
export function storedValue(bits: number, frame: FrameInfo): number {
  const unused = 32 - frame.bits_stored;
  return frame.signed ? (bits << unused) >> unused : (bits << unused) >>> unused;
}

/** Grey levels by bit pattern: 256 entries for 8-bit samples, 65536 for 16-bit ones. */
export function greyTable(frame: FrameInfo, voi: Voi, isInverted: boolean): Uint8ClampedArray {
  const table = new Uint8ClampedArray(2 ** Math.min(frame.bits_allocated, 16));
  for (let bits = 0; bits < table.length; bits++) {
    const grey = greyOf(storedValue(bits, frame) * frame.slope + frame.intercept, voi);
    table[bits] = isInverted ? 255 - grey : grey;
  }
  return table;
}

/** Low values are shown white in MONOCHROME1. */
export function isInvertedByNature(photometric: string): boolean {
  return photometric === 'MONOCHROME1';
}

/** The window of the object, or one over all values of the frame where it has none. */
export function defaultVoi(frame: FrameInfo, data: SampleArray): Voi {
  const [center] = frame.center;
  const [width] = frame.width;
  if (Number.isFinite(center) && Number.isFinite(width) && width > 0) return { center, width };
  return fullRange(frame, data);
}

/** A window over all values of the frame. */
export function fullRange(frame: FrameInfo, data: SampleArray): Voi {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < data.length; i++) {
    const value = storedValue(data[i], frame);
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const [from, to] = [low, high].map((value) => value * frame.slope + frame.intercept);
  const unit = Math.abs(frame.slope);
  return { center: (from + to + unit) / 2, width: Math.max(Math.abs(to - from) + unit, unit) };
}
