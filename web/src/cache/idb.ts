/** Ranges in IndexedDB: they outlive the page, on http as on https, in WeChat on both systems. */

import { type DBSchema, type IDBPDatabase, openDB } from 'idb';
import type { RangeStore } from './port';

interface Schema extends DBSchema {
  ranges: { key: string; value: Uint8Array };
  // apart from the bytes, so that a read does not write the bytes again
  uses: { key: string; value: { key: string; size: number; usedAt: number }; indexes: { usedAt: number } };
}

const DATABASE = 'cloudfilm-ranges';

export class IdbStore implements RangeStore {
  private constructor(
    private readonly db: IDBPDatabase<Schema>,
    private readonly limit: number,
    private total: number,
  ) {}

  /** Opens the store; `limit` in bytes. Raises when the browser has no IndexedDB or forbids it. */
  static async open(limit: number): Promise<IdbStore> {
    const db = await openDB<Schema>(DATABASE, 1, {
      upgrade(fresh) {
        fresh.createObjectStore('ranges');
        fresh.createObjectStore('uses', { keyPath: 'key' }).createIndex('usedAt', 'usedAt');
      },
    });
    const total = (await db.getAll('uses')).reduce((sum, use) => sum + use.size, 0);
    return new IdbStore(db, limit, total);
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    const bytes = await this.db.get('ranges', key);
    if (bytes)
      await this.db.put('uses', { key, size: bytes.length, usedAt: Date.now() }).catch(() => undefined);
    return bytes;
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    if (bytes.length > this.limit) return;
    try {
      await this.makeRoom(bytes.length);
      const tx = this.db.transaction(['ranges', 'uses'], 'readwrite');
      const before = await tx.objectStore('uses').get(key);
      tx.objectStore('ranges').put(bytes, key);
      tx.objectStore('uses').put({ key, size: bytes.length, usedAt: Date.now() });
      await tx.done;
      this.total += bytes.length - (before?.size ?? 0);
    } catch {
      // The browser's quota, or a disk that is full: the range comes over the network again next time.
    }
  }

  private async makeRoom(size: number): Promise<void> {
    if (this.total + size <= this.limit) return;
    const tx = this.db.transaction(['ranges', 'uses'], 'readwrite');
    // a tenth more than needed, so that not every put has to walk
    const goal = Math.max(0, this.limit - size - this.limit / 10);
    // counted anew: other workers write into the same database
    this.total = (await tx.objectStore('uses').getAll()).reduce((sum, use) => sum + use.size, 0);
    let cursor = await tx.objectStore('uses').index('usedAt').openCursor();
    while (cursor && this.total > goal) {
      this.total -= cursor.value.size;
      tx.objectStore('ranges').delete(cursor.value.key);
      cursor.delete();
      cursor = await cursor.continue();
    }
    await tx.done;
  }
}
