/** Native pixels, little-endian, colour by pixel. */

import type { FrameInfo } from '../../dicom/manifest';
import { viewOf } from '../../dicom/samples';
import { FilmFault } from '../../faults';
import type { Samples } from './samples';

export function decode(bytes: Uint8Array, frame: FrameInfo): Samples {
  const length = (frame.rows * frame.columns * frame.samples * frame.bits_allocated) / 8;
  if (bytes.length < length) {
    throw new FilmFault('damaged', `${bytes.length} bytes of native pixels where ${length} were expected`);
  }
  const own = bytes.slice(0, length);
  return { data: viewOf(own.buffer, frame.bits_allocated, frame.signed), photometric: frame.photometric };
}
