/** Native pixels (PS3.5 §8.1, §8.2): either byte order, colour by pixel or by plane, chrominance halved along rows. */

import type { FrameInfo } from '../../dicom/manifest';
import { type SampleArray, viewOf } from '../../dicom/samples';
import { FilmFault } from '../../faults';
import type { Samples } from './samples';

export function decode(bytes: Uint8Array, frame: FrameInfo): Samples {
  const isHalved = frame.photometric === 'YBR_FULL_422' && frame.samples === 3;
  const stored = frame.rows * frame.columns * (isHalved ? 2 : frame.samples);
  const length = (stored * frame.bits_allocated) / 8;
  // an odd number of bytes in big-endian words ends in the first byte of a word
  const taken = frame.big_endian && frame.bits_allocated === 8 ? length + (length & 1) : length;
  if (bytes.length < taken) {
    throw new FilmFault('damaged', `${bytes.length} bytes of native pixels where ${taken} were expected`);
  }
  const own = bytes.slice(0, taken);
  if (frame.big_endian) swapBytes(own, Math.max(2, frame.bits_allocated / 8));
  const stream = viewOf(own.buffer, frame.bits_allocated, frame.signed).subarray(0, stored) as SampleArray;
  if (isHalved) return { data: doubledChrominance(stream), photometric: frame.photometric };
  const data = frame.samples === 3 && frame.planar ? byPixel(stream) : stream;
  return { data, photometric: frame.photometric };
}

function swapBytes(bytes: Uint8Array, width: number): void {
  for (let at = 0; at + width <= bytes.length; at += width) bytes.subarray(at, at + width).reverse();
}

function byPixel(planes: SampleArray): SampleArray {
  const data = planes.slice() as SampleArray;
  const pixels = planes.length / 3;
  for (let i = 0, s = 0; i < pixels; i++, s += 3) {
    data[s] = planes[i];
    data[s + 1] = planes[i + pixels];
    data[s + 2] = planes[i + 2 * pixels];
  }
  return data;
}

/** Y Y Cb Cr for two pixels (PS3.3 C.7.6.3.1.2) → Y Cb Cr for each. */
function doubledChrominance(pairs: SampleArray): SampleArray {
  const data = new (pairs.constructor as new (length: number) => SampleArray)((pairs.length * 3) / 2);
  for (let p = 0, s = 0; p < pairs.length; p += 4, s += 6) {
    data[s] = pairs[p];
    data[s + 3] = pairs[p + 1];
    data[s + 1] = data[s + 4] = pairs[p + 2];
    data[s + 2] = data[s + 5] = pairs[p + 3];
  }
  return data;
}
