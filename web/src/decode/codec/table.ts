/** Which code decodes which codec of the manifest; each is fetched when a film first needs it. */

import type { CODECS, FrameInfo } from '../../dicom/manifest';
import { FilmFault } from '../../faults';
import type { Decoder, Samples } from './samples';

const DECODERS: Record<(typeof CODECS)[number], () => Promise<{ decode: Decoder }>> = {
  htj2k: () => import('./htj2k'),
  jpeg: () => import('./jpeg'),
  jpegls: () => import('./jpegls'),
  jpeg2000: () => import('./jpeg2000'),
  rle: () => import('./rle'),
  raw: () => import('./raw'),
};

/** Decodes one frame. Raises `FilmFault`: unsupported, damaged; network when the codec itself cannot be fetched. */
export async function decodeFrame(bytes: Uint8Array, frame: FrameInfo): Promise<Samples> {
  if (!Object.hasOwn(DECODERS, frame.codec)) {
    throw new FilmFault('unsupported', `codec ${frame.codec} is not known`);
  }
  const load = DECODERS[frame.codec as keyof typeof DECODERS];
  const { decode } = await load().catch((error) => {
    throw new FilmFault('network', `the decoder for ${frame.codec} did not come: ${String(error)}`);
  });
  try {
    return await decode(bytes, frame);
  } catch (error) {
    if (error instanceof FilmFault) throw error;
    throw new FilmFault('damaged', `${frame.codec}: ${String(error)}`);
  }
}
