/** Runs in IndexedDB: they outlive the page, on http as on https, in WeChat on both systems. */

import { type DBSchema, deleteDB, type IDBPDatabase, type IDBPTransaction, openDB } from 'idb';
import type { KeptRun, RangeStore } from './port';

type Key = [objectId: string, first: number];

interface Use {
  readonly object: string;
  readonly first: number;
  readonly size: number;
  readonly usedAt: number;
}

interface Schema extends DBSchema {
  runs: { key: Key; value: { object: string; first: number; bytes: Uint8Array } };
  // apart from the bytes, so that a read does not write the bytes again
  uses: { key: Key; value: Use; indexes: { usedAt: number } };
}

type Writing = IDBPTransaction<Schema, ['runs', 'uses'], 'readwrite'>;

const DATABASE = 'cloudfilm-ranges';
/** 1 kept each range under its whole name; what lies there is downloaded again. */
const VERSION = 2;
/** Writes of this time go into one transaction: one a frame keeps the disk of a phone busy for nothing. */
const GATHER_MS = 80;
/** Of the limit: what is written between two counts, and what is freed at once. */
const ROOM_SHARE = 0.1;

export class IdbStore implements RangeStore {
  private runs = new Map<string, { readonly object: string; readonly run: KeptRun }>();
  private touched = new Map<string, Use>();
  private flushing: Promise<void> | null = null;
  /** Bytes on the disk when they were counted last, and those written since; not counted before the first writing. */
  private total = 0;
  private uncounted = Number.POSITIVE_INFINITY;

  private constructor(
    private readonly db: IDBPDatabase<Schema>,
    private readonly limit: number | Promise<number>,
  ) {}

  /**
   * Opens the store; `limit` in bytes is waited for when something is written, for the first frame waits for the store.
   * Raises when the browser has no IndexedDB or forbids it.
   */
  static async open(limit: number | Promise<number>): Promise<IdbStore> {
    const db = await openDB<Schema>(DATABASE, VERSION, {
      upgrade(fresh) {
        for (const name of [...fresh.objectStoreNames]) fresh.deleteObjectStore(name);
        fresh.createObjectStore('runs', { keyPath: ['object', 'first'] });
        fresh.createObjectStore('uses', { keyPath: ['object', 'first'] }).createIndex('usedAt', 'usedAt');
      },
      // another tab deletes all (log-out) or brings a newer viewer: it must not wait for this one
      blocking: (_version, _next, event) => (event.target as IDBDatabase).close(),
    });
    return new IdbStore(db, limit);
  }

  async get(objectId: string, first: number, last: number): Promise<KeptRun[]> {
    const kept = await this.db.getAll('runs', IDBKeyRange.bound([objectId, first], [objectId, last]));
    const found = new Map<number, KeptRun>(kept.map((run) => [run.first, run]));
    for (const { object, run } of this.runs.values()) {
      if (object === objectId && run.first >= first && run.first <= last) found.set(run.first, run);
    }
    for (const run of found.values()) this.touch(objectId, run);
    if (found.size > 0) void this.flushSoon();
    return [...found.values()].sort((a, b) => a.first - b.first);
  }

  put(objectId: string, run: KeptRun): Promise<void> {
    this.runs.set(`${objectId}:${run.first}`, { object: objectId, run });
    this.touch(objectId, run);
    return this.flushSoon();
  }

  async purge(objectId: string): Promise<void> {
    for (const key of [...this.runs.keys(), ...this.touched.keys()]) {
      if (key.startsWith(`${objectId}:`)) this.drop(key);
    }
    const all = IDBKeyRange.bound([objectId], [objectId, []]); // a list comes behind every number
    const tx = this.db.transaction(['runs', 'uses'], 'readwrite');
    await Promise.all([tx.objectStore('runs').delete(all), tx.objectStore('uses').delete(all), tx.done]);
  }

  private drop(key: string): void {
    this.runs.delete(key);
    this.touched.delete(key);
  }

  private touch(object: string, { first, bytes }: KeptRun): void {
    this.touched.set(`${object}:${first}`, { object, first, size: bytes.length, usedAt: Date.now() });
  }

  private flushSoon(): Promise<void> {
    this.flushing ??= new Promise<void>((done) => setTimeout(done, GATHER_MS)).then(() => {
      this.flushing = null;
      return this.flush().catch(() => undefined); // no room or no disk: it comes over the network again next time
    });
    return this.flushing;
  }

  private async flush(): Promise<void> {
    const limit = await this.limit;
    for (const [key, { run }] of this.runs) if (run.bytes.length > limit) this.drop(key);
    const [runs, uses] = [[...this.runs], [...this.touched.values()]];
    this.touched = new Map();
    const size = runs.reduce((sum, [, { run }]) => sum + run.bytes.length, 0);
    try {
      const tx = this.db.transaction(['runs', 'uses'], 'readwrite', { durability: 'relaxed' });
      const written = runs.map(([, { object, run }]) =>
        tx.objectStore('runs').put({ object, first: run.first, bytes: run.bytes }),
      );
      await Promise.all([...written, ...uses.map((use) => tx.objectStore('uses').put(use))]);
      this.uncounted += size;
      if (this.total + this.uncounted > limit || this.uncounted > limit * ROOM_SHARE) {
        await this.makeRoom(tx, limit);
      }
      await tx.done;
    } finally {
      // until here a read finds them in memory
      for (const [key, kept] of runs) if (this.runs.get(key) === kept) this.runs.delete(key);
    }
  }

  /** Counts anew, for other workers and tabs write into the same database, and lets the oldest go. */
  private async makeRoom(tx: Writing, limit: number): Promise<void> {
    const uses = tx.objectStore('uses');
    this.total = sizeOf(await uses.getAll());
    this.uncounted = 0;
    if (this.total <= limit) return;
    // more than needed, so that not every write has to walk
    const goal = limit * (1 - ROOM_SHARE);
    let cursor = await uses.index('usedAt').openCursor();
    while (cursor && this.total > goal) {
      const { object, first, size } = cursor.value;
      this.total -= size;
      tx.objectStore('runs').delete([object, first]);
      cursor.delete();
      cursor = await cursor.continue();
    }
  }
}

/** Forgets every run of every film (log-out). Never raises: without IndexedDB there is nothing. */
export async function purgeAll(): Promise<void> {
  await deleteDB(DATABASE).catch(() => undefined);
}

function sizeOf(uses: readonly Use[]): number {
  return uses.reduce((sum, use) => sum + use.size, 0);
}
