/** Which code decodes which codec of the manifest; each is fetched when a film first needs it. */

import type { CODECS, FrameInfo } from '../../dicom/manifest';
import { FilmFault } from '../../faults';
import type { Decoder, FrameShape, Samples } from './samples';

interface Codec {
  readonly decode: Decoder;
  readonly prepare?: () => Promise<unknown>;
}

const loadHtj2k = () => import('./htj2k');

const CODEC_OF: Record<(typeof CODECS)[number], () => Promise<Codec>> = {
  htj2k: loadHtj2k,
  jpeg: () => import('./jpeg'),
  jpegls: () => import('./jpegls'),
  jpeg2000: () => import('./jpeg2000'),
  rle: () => import('./rle'),
  raw: () => import('./raw'),
};

/** Fetches a codec ahead of its first frame; what goes wrong is told when that one is decoded. */
export function prepareCodec(name: string): void {
  if (!Object.hasOwn(CODEC_OF, name)) return;
  CODEC_OF[name as keyof typeof CODEC_OF]()
    .then((codec) => codec.prepare?.())
    .catch(() => undefined);
}

/** Decodes one frame. Raises `FilmFault`: unsupported, damaged; network when the codec itself cannot be fetched. */
export async function decodeFrame(bytes: Uint8Array, frame: FrameInfo): Promise<Samples> {
  if (!Object.hasOwn(CODEC_OF, frame.codec)) {
    throw new FilmFault('unsupported', `codec ${frame.codec} is not known`);
  }
  return withCodec(CODEC_OF[frame.codec as keyof typeof CODEC_OF], frame.codec, ({ decode }) =>
    decode(bytes, frame),
  );
}

/** Decodes an HTJ2K frame without its finest `skip` levels, from the bytes up to the others. Raises as `decodeFrame`. */
export function decodeCoarse(bytes: Uint8Array, frame: FrameShape, skip: number): Promise<Samples> {
  return withCodec(loadHtj2k, 'htj2k', ({ decode }) => decode(bytes, frame, skip));
}

async function withCodec<C>(
  load: () => Promise<C>,
  name: string,
  decode: (codec: C) => Promise<Samples> | Samples,
): Promise<Samples> {
  const codec = await load().catch((error) => {
    throw new FilmFault('network', `the decoder for ${name} did not come: ${String(error)}`);
  });
  try {
    return await decode(codec);
  } catch (error) {
    if (error instanceof FilmFault) throw error;
    throw new FilmFault('damaged', `${name}: ${String(error)}`);
  }
}
