/** Decode worker: takes requests from the page, answers with decoded frames. Keys and plain bytes stay in here. */

import { IdbStore } from '../cache/idb';
import { MemoryStore } from '../cache/memory';
import type { RangeStore } from '../cache/port';
import { roomHere } from '../cache/room';
import { fetchRange } from '../transport/http_range';
import { work } from './jobs';
import type { Reply, Request } from './protocol';
import { RangeReader } from './range_reader';

const MEMORY_STORE_LIMIT = 32e6;
const STORE_PATIENCE_MS = 1500; // some WebKits never answer the first open of a database

declare const self: DedicatedWorkerGlobalScope;

const reader = openStore().then((store) => new RangeReader(store, fetchRange));
const running = new Map<number, AbortController>();

self.onmessage = async ({ data: request }: MessageEvent<Request>) => {
  if (request.kind === 'abort') {
    running.get(request.id)?.abort();
    return;
  }
  const abort = new AbortController();
  running.set(request.id, abort);
  await work(reader, request, abort.signal, say);
  running.delete(request.id);
};

function say(reply: Reply): void {
  const frames =
    reply.kind === 'coarse' ? reply.frames : reply.kind === 'done' && reply.frame ? [reply.frame] : [];
  self.postMessage(
    reply,
    frames.map(({ data }) => data.buffer),
  );
}

function openStore(): Promise<RangeStore> {
  return new Promise((resolve) => {
    const withoutDisk = (): void => resolve(new MemoryStore(MEMORY_STORE_LIMIT));
    setTimeout(withoutDisk, STORE_PATIENCE_MS);
    IdbStore.open(roomHere(navigator)).then(resolve, withoutDisk);
  });
}
