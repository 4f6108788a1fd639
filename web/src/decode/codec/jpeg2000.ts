/** JPEG 2000 (ISO/IEC 15444-1) by OpenJPEG. */

import wasmUrl from '@cornerstonejs/codec-openjpeg/decodewasm?url';
import factory from '@cornerstonejs/codec-openjpeg/decodewasmjs';
import type { FrameInfo } from '../../dicom/manifest';
import { type Samples, toSamples } from './samples';
import { WasmCodec } from './wasm';

const codec = new WasmCodec(factory, 'J2KDecoder', wasmUrl);

/** YBR_ICT and YBR_RCT are undone by the decoder itself; the painter takes them as RGB. */
export async function decode(bytes: Uint8Array, frame: FrameInfo): Promise<Samples> {
  const data = await codec.decode(bytes, (decoded, header) => toSamples(decoded, header, frame));
  return { data, photometric: frame.photometric };
}
