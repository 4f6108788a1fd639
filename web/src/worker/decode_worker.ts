/** Decode worker: brings sealed ranges from store or network, opens them, decodes. Keys and plain bytes stay in here. */

import { decodeFrame } from '../codec/table';
import { FilmFault } from '../faults';
import type { ChunkRange } from '../sealed/header';
import { SealedObject, type SealedPack } from '../sealed/opener';
import { SealBroken } from '../sm4/gcm';
import { IdbStore } from '../store/idb';
import { MemoryStore } from '../store/memory';
import { type RangeStore, rangeKey } from '../store/port';
import { fetchRange } from '../transport/http_range';
import type { DecodedFrame, Reply, Request } from './protocol';

const STORE_LIMIT = 300e6;
const MEMORY_STORE_LIMIT = 32e6;

declare const self: DedicatedWorkerGlobalScope;

const store: Promise<RangeStore> = IdbStore.open(STORE_LIMIT).catch(
  () => new MemoryStore(MEMORY_STORE_LIMIT),
);
const objects = new Map<string, SealedObject>();
const running = new Map<number, AbortController>();

self.onmessage = async ({ data: request }: MessageEvent<Request>) => {
  if (request.kind === 'abort') {
    running.get(request.id)?.abort();
    return;
  }
  const abort = new AbortController();
  running.set(request.id, abort);
  try {
    const frame = await bring(request, abort.signal);
    const reply: Reply = { id: request.id, ok: true, ...frame };
    self.postMessage(reply, [frame.data.buffer]);
  } catch (error) {
    const fault = toFault(error);
    const reply: Reply = { id: request.id, ok: false, kind: fault.kind, message: fault.message };
    self.postMessage(reply);
  } finally {
    running.delete(request.id);
  }
};

async function bring(
  { pack, frame }: Extract<Request, { kind: 'decode' }>,
  signal: AbortSignal,
): Promise<DecodedFrame> {
  let fetched = 0;
  const object = objectOf(pack);
  const kept = await store;
  let keep = (): void => undefined;
  const source = async (range: ChunkRange): Promise<Uint8Array> => {
    const key = rangeKey(pack.object_id, range.first, range.last);
    const stored = await kept.get(key).catch(() => undefined);
    if (stored) return stored;
    const sealed = await fetchRange(pack.url, range.cipherStart, range.cipherEnd, signal);
    fetched = sealed.length;
    keep = () => void kept.put(key, sealed);
    return sealed;
  };
  const plain = await object.read(frame.offset, frame.offset + frame.length, source, signal);
  keep(); // only what verified; and the frame does not wait for the disk
  if (signal.aborted) throw new FilmFault('aborted', 'the frame is not wanted any more');
  return { ...(await decodeFrame(plain, frame)), fetched };
}

function objectOf(pack: SealedPack): SealedObject {
  let object = objects.get(pack.object_id);
  if (!object) {
    object = new SealedObject(pack);
    objects.set(pack.object_id, object);
  }
  return object;
}

function toFault(error: unknown): FilmFault {
  if (error instanceof FilmFault) return error;
  if (error instanceof SealBroken) return new FilmFault('broken', error.message);
  return new FilmFault('damaged', String(error));
}
