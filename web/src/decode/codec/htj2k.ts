/** HTJ2K (ISO/IEC 15444-15) by OpenJPH: what this platform's archive is made of. */

import wasmUrl from '@cornerstonejs/codec-openjph/wasm?url';
import factory from '@cornerstonejs/codec-openjph/wasmjs';
import { type FrameShape, type Samples, toSamples } from './samples';
import { WasmCodec } from './wasm';

const codec = new WasmCodec(factory, 'HTJ2KDecoder', wasmUrl);

export const prepare = (): Promise<unknown> => codec.prepare();

/**
 * Decodes a frame, without its finest `skip` levels: then the codestream's bytes up to the others are enough.
 * YBR_ICT and YBR_RCT are undone by the decoder itself; the painter takes them as RGB.
 */
export async function decode(bytes: Uint8Array, frame: FrameShape, skip = 0): Promise<Samples> {
  const data = await codec.decode(bytes, (decoded, header) => toSamples(decoded, header, frame, skip), skip);
  return { data, photometric: frame.photometric };
}
