/** Decoded samples, and the one place that turns a codec's bytes into them. */

import type { FrameInfo } from '../../dicom/manifest';
import { type SampleArray, viewOf } from '../../dicom/samples';
import { FilmFault } from '../../faults';

export interface Samples {
  /** rows × columns × samples, colour by pixel, in `bits_allocated` bits, signed as the manifest says. */
  readonly data: SampleArray;
  /** What the values mean now: a codec that converts colours itself says RGB. */
  readonly photometric: string;
}

export type Decoder = (bytes: Uint8Array, frame: FrameInfo) => Promise<Samples> | Samples;

/** What a decoder has to know of a frame. */
export type FrameShape = Pick<
  FrameInfo,
  'codec' | 'rows' | 'columns' | 'samples' | 'bits_allocated' | 'signed' | 'photometric'
>;

/** What a codec found in its own header. */
export interface CodecHeader {
  readonly width: number;
  readonly height: number;
  readonly componentCount: number;
  readonly bitsPerSample: number;
}

/** Rows and columns of a frame decoded without its finest `skip` levels (ISO/IEC 15444-1 §B.5). */
export function sizeWithout(frame: FrameShape, skip: number): { rows: number; columns: number } {
  return { rows: Math.ceil(frame.rows / 2 ** skip), columns: Math.ceil(frame.columns / 2 ** skip) };
}

/**
 * Little-endian decoded bytes as samples of the frame, decoded without its finest `skip` levels.
 *
 * Codecs hand out 8-bit values as bytes even where the object allocates 16. Raises `FilmFault('damaged')` when the
 * codec's header contradicts the manifest, or bytes are missing.
 */
export function toSamples(
  decoded: Uint8Array,
  header: CodecHeader,
  frame: FrameShape,
  skip = 0,
): SampleArray {
  if (
    header.width !== frame.columns ||
    header.height !== frame.rows ||
    header.componentCount !== frame.samples ||
    header.bitsPerSample > frame.bits_allocated
  ) {
    throw new FilmFault(
      'damaged',
      `the codestream holds ${header.width}×${header.height}×${header.componentCount}, ${header.bitsPerSample} bits; ` +
        `the manifest says ${frame.columns}×${frame.rows}×${frame.samples}, ${frame.bits_allocated} bits`,
    );
  }
  const { rows, columns } = sizeWithout(frame, skip);
  const count = rows * columns * frame.samples;
  const width = header.bitsPerSample > 16 ? 4 : header.bitsPerSample > 8 ? 2 : 1;
  if (decoded.length < count * width) {
    throw new FilmFault('damaged', `${decoded.length} bytes decoded where ${count * width} were expected`);
  }
  const own = decoded.slice(0, count * width); // out of the codec's heap, and aligned
  return widen(viewOf(own.buffer, width * 8, frame.signed), frame);
}

function widen(data: SampleArray, frame: FrameShape): SampleArray {
  if (data.BYTES_PER_ELEMENT * 8 === frame.bits_allocated) return data;
  const wide = viewOf(
    new ArrayBuffer((data.length * frame.bits_allocated) / 8),
    frame.bits_allocated,
    frame.signed,
  );
  wide.set(frame.signed && data instanceof Uint8Array ? new Int8Array(data.buffer) : data);
  return wide;
}
