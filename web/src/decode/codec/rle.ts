/**
 * RLE Lossless (DICOM PS3.5 annex G): up to 15 segments of PackBits, one per byte of a sample, most significant first,
 * colour by plane.
 */

import type { FrameInfo } from '../../dicom/manifest';
import { viewOf } from '../../dicom/samples';
import { FilmFault } from '../../faults';
import type { Samples } from './samples';

const HEADER_LENGTH = 64;

export function decode(bytes: Uint8Array, frame: FrameInfo): Samples {
  if (bytes.length < HEADER_LENGTH) throw new FilmFault('damaged', 'the RLE header is cut');
  const header = new DataView(bytes.buffer, bytes.byteOffset, HEADER_LENGTH);
  const sampleBytes = frame.bits_allocated / 8;
  const segments = header.getUint32(0, true);
  if (segments !== frame.samples * sampleBytes) {
    throw new FilmFault(
      'damaged',
      `${segments} RLE segments where ${frame.samples * sampleBytes} were expected`,
    );
  }
  const pixels = frame.rows * frame.columns;
  const out = new Uint8Array(pixels * segments);
  for (let segment = 0; segment < segments; segment++) {
    const from = header.getUint32(4 + 4 * segment, true);
    const to = segment + 1 < segments ? header.getUint32(8 + 4 * segment, true) : bytes.length;
    const sample = Math.floor(segment / sampleBytes);
    const littleEndianByte = sampleBytes - 1 - (segment % sampleBytes);
    unpack(bytes.subarray(from, to), out, sample * sampleBytes + littleEndianByte, segments, pixels);
  }
  return { data: viewOf(out.buffer, frame.bits_allocated, frame.signed), photometric: frame.photometric };
}

/** PackBits: writes `count` bytes into `out`, every `stride` bytes from `at`. */
function unpack(packed: Uint8Array, out: Uint8Array, at: number, stride: number, count: number): void {
  let done = 0;
  for (let i = 0; i < packed.length && done < count; ) {
    const control = packed[i++];
    if (control === 128) continue;
    const isRun = control > 128;
    const length = Math.min(isRun ? 257 - control : control + 1, count - done);
    if (i + (isRun ? 1 : length) > packed.length) break;
    for (let k = 0; k < length; k++) out[at + (done + k) * stride] = packed[isRun ? i : i + k];
    i += isRun ? 1 : control + 1;
    done += length;
  }
  if (done < count) throw new FilmFault('damaged', `an RLE segment ends after ${done} of ${count} bytes`);
}
