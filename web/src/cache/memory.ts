/** Ranges for as long as the page lives: for browsers that refuse IndexedDB (private windows) and for tests. */

import type { RangeStore } from './port';

export class MemoryStore implements RangeStore {
  private readonly ranges = new Map<string, Uint8Array>();
  private total = 0;

  constructor(private readonly limit: number) {}

  async get(key: string): Promise<Uint8Array | undefined> {
    const bytes = this.ranges.get(key);
    if (bytes) {
      this.ranges.delete(key); // a Map keeps insertion order: the last one is the most recently used
      this.ranges.set(key, bytes);
    }
    return bytes;
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    if (bytes.length > this.limit) return;
    this.total += bytes.length - (this.ranges.get(key)?.length ?? 0);
    this.ranges.delete(key);
    this.ranges.set(key, bytes);
    for (const [oldest, old] of this.ranges) {
      if (this.total <= this.limit) break;
      this.ranges.delete(oldest);
      this.total -= old.length;
    }
  }
}
