/** Runs for as long as the page lives: for browsers that refuse IndexedDB (private windows) and for tests. */

import type { KeptRun, RangeStore } from './port';

export class MemoryStore implements RangeStore {
  private readonly runs = new Map<string, KeptRun>();
  private total = 0;

  constructor(private readonly limit: number) {}

  async get(objectId: string, first: number, last: number): Promise<KeptRun[]> {
    const found: KeptRun[] = [];
    for (let chunk = first; chunk <= last; chunk++) {
      const key = keyOf(objectId, chunk);
      const run = this.runs.get(key);
      if (!run) continue;
      this.runs.delete(key); // a Map keeps insertion order: the last one is the most recently used
      this.runs.set(key, run);
      found.push(run);
    }
    return found;
  }

  async put(objectId: string, run: KeptRun): Promise<void> {
    if (run.bytes.length > this.limit) return;
    this.forget(keyOf(objectId, run.first));
    this.runs.set(keyOf(objectId, run.first), run);
    this.total += run.bytes.length;
    for (const oldest of this.runs.keys()) {
      if (this.total <= this.limit) break;
      this.forget(oldest);
    }
  }

  async purge(objectId: string): Promise<void> {
    for (const key of [...this.runs.keys()]) {
      if (key.startsWith(`${objectId}:`)) this.forget(key);
    }
  }

  private forget(key: string): void {
    this.total -= this.runs.get(key)?.bytes.length ?? 0;
    this.runs.delete(key);
  }
}

function keyOf(objectId: string, chunk: number): string {
  return `${objectId}:${chunk}`;
}
