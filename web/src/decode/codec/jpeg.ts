/** JPEG (ISO/IEC 10918-1): baseline and extended 8 bit by libjpeg-turbo, lossless (processes 14) of 2 … 16 bit. */

import wasmUrl from '@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasm?url';
import factory from '@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs';
import { Decoder as LosslessDecoder } from 'jpeg-lossless-decoder-js';
import type { FrameInfo } from '../../dicom/manifest';
import { FilmFault } from '../../faults';
import { type JpegFrame, markedAsRgb, readJpegFrame } from './jpeg_markers';
import { type Samples, toSamples } from './samples';
import { WasmCodec } from './wasm';

const turbo = new WasmCodec(factory, 'JPEGDecoder', wasmUrl);

export async function decode(bytes: Uint8Array, frame: FrameInfo): Promise<Samples> {
  const jpeg = readJpegFrame(bytes);
  if (jpeg.isLossless) return decodeLossless(bytes, frame, jpeg);
  if (jpeg.bitsPerSample !== 8) {
    throw new FilmFault('unsupported', `lossy JPEG of ${jpeg.bitsPerSample} bits is not shown yet`);
  }
  const isPlainRgb = frame.photometric === 'RGB' && !jpeg.hasAdobeMarker;
  const data = await turbo.decode(isPlainRgb ? markedAsRgb(bytes) : bytes, (decoded, header) =>
    toSamples(decoded, header, frame),
  );
  return { data, photometric: frame.samples === 3 ? 'RGB' : frame.photometric }; // it converts colours itself
}

function decodeLossless(bytes: Uint8Array, frame: FrameInfo, jpeg: JpegFrame): Samples {
  const own = bytes.slice();
  const decoded = new LosslessDecoder().decode(own.buffer, 0, own.length);
  const out = new Uint8Array(decoded.buffer, decoded.byteOffset, decoded.byteLength);
  return { data: toSamples(out, jpeg, frame), photometric: frame.photometric };
}
