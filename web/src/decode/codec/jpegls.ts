/** JPEG-LS (ISO/IEC 14495-1) by CharLS. */

import wasmUrl from '@cornerstonejs/codec-charls/decodewasm?url';
import factory from '@cornerstonejs/codec-charls/decodewasmjs';
import type { FrameInfo } from '../../dicom/manifest';
import { type Samples, toSamples } from './samples';
import { WasmCodec } from './wasm';

const codec = new WasmCodec(factory, 'JpegLSDecoder', wasmUrl);

export async function decode(bytes: Uint8Array, frame: FrameInfo): Promise<Samples> {
  const data = await codec.decode(bytes, (decoded, header) => toSamples(decoded, header, frame));
  return { data, photometric: frame.photometric };
}
