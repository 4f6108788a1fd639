/** Decode worker: takes requests from the page, answers with decoded frames. Keys and plain bytes stay in here. */

import { IdbStore } from '../cache/idb';
import { MemoryStore } from '../cache/memory';
import type { RangeStore } from '../cache/port';
import { decodeFrame } from '../decode/codec/table';
import { SealBroken } from '../decode/sm4/gcm';
import { FilmFault } from '../faults';
import { fetchRange } from '../transport/http_range';
import { FrameReader } from './frame_reader';
import type { Reply, Request } from './protocol';

const STORE_LIMIT = 300e6;
const MEMORY_STORE_LIMIT = 32e6;
const STORE_PATIENCE_MS = 1500; // some WebKits never answer the first open of a database

declare const self: DedicatedWorkerGlobalScope;

const reader = openStore().then((store) => new FrameReader(store, fetchRange));
const running = new Map<number, AbortController>();

self.onmessage = async ({ data: request }: MessageEvent<Request>) => {
  if (request.kind === 'abort') {
    running.get(request.id)?.abort();
    return;
  }
  const { id, pack, frame } = request;
  const abort = new AbortController();
  running.set(id, abort);
  try {
    const { plain, fetched } = await (await reader).read(pack, frame, abort.signal);
    if (abort.signal.aborted) throw new FilmFault('aborted', 'the frame is not wanted any more');
    const reply: Reply = { id, ok: true, fetched, ...(await decodeFrame(plain, frame)) };
    self.postMessage(reply, [reply.data.buffer]);
  } catch (error) {
    const fault = toFault(error);
    const reply: Reply = { id, ok: false, kind: fault.kind, message: fault.message };
    self.postMessage(reply);
  } finally {
    running.delete(id);
  }
};

function openStore(): Promise<RangeStore> {
  return new Promise((resolve) => {
    const withoutDisk = (): void => resolve(new MemoryStore(MEMORY_STORE_LIMIT));
    setTimeout(withoutDisk, STORE_PATIENCE_MS);
    IdbStore.open(STORE_LIMIT).then(resolve, withoutDisk);
  });
}

function toFault(error: unknown): FilmFault {
  if (error instanceof FilmFault) return error;
  if (error instanceof SealBroken) return new FilmFault('broken', error.message);
  return new FilmFault('damaged', String(error));
}
