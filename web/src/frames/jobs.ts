/** The work of a decode worker: one request, its replies. */

import { sizeWithout } from '../decode/codec/samples';
import { decodeCoarse, decodeFrame, prepareCodec } from '../decode/codec/table';
import { SealBroken } from '../decode/sm4/gcm';
import { FilmFault } from '../faults';
import { readCoarse } from './coarse_reader';
import type { FrameRequest, JobRequest, Reply } from './protocol';
import type { OpenedRun, RangeReader } from './range_reader';

type Say = (reply: Reply) => void;

/** Does a job and says its end, or what went wrong. */
export async function work(
  reader: Promise<RangeReader>,
  request: { readonly id: number } & JobRequest,
  signal: AbortSignal,
  say: Say,
): Promise<void> {
  try {
    if (request.kind === 'frame') {
      prepareCodec(request.frame.codec); // it comes while the frame is on the line
      await bringFrame(await reader, request, signal, say);
    } else {
      prepareCodec('htj2k');
      const { id } = request;
      await readCoarse(await reader, request, signal, (frames, traffic) => {
        say({ id, kind: 'coarse', frames, ...traffic });
      });
      say({ id, kind: 'done', frame: null, fetched: 0, milliseconds: 0 });
    }
  } catch (error) {
    const { kind: fault, message } = toFault(error);
    say({ id: request.id, kind: 'fault', fault, message });
  }
}

async function bringFrame(
  reader: RangeReader,
  { id, pack, frame, preview, block }: { readonly id: number } & FrameRequest,
  signal: AbortSignal,
  say: Say,
): Promise<void> {
  let opened: OpenedRun | undefined;
  if (preview) {
    const { plain, run, ...traffic } = await reader.read(
      pack,
      frame.offset,
      frame.offset + preview.bytes,
      signal,
    );
    opened = run;
    const samples = await decodeCoarse(plain, frame, preview.skip);
    const coarse = {
      index: 0,
      ...samples,
      ...sizeWithout(frame, preview.skip),
      resolution: 'coarse',
    } as const;
    say({ id, kind: 'coarse', frames: [{ ...coarse, fetched: traffic.fetched }], ...traffic });
  }
  const end = frame.offset + frame.length;
  const { plain, fetched, milliseconds } = await reader.read(pack, frame.offset, end, signal, {
    opened,
    block,
  });
  if (signal.aborted) throw new FilmFault('aborted', 'the frame is not wanted any more');
  say({
    id,
    kind: 'done',
    frame: { ...(await decodeFrame(plain, frame)), fetched },
    fetched,
    milliseconds,
  });
}

function toFault(error: unknown): FilmFault {
  if (error instanceof FilmFault) return error;
  if (error instanceof SealBroken) return new FilmFault('broken', error.message);
  return new FilmFault('damaged', String(error));
}
