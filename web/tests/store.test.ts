import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { IdbStore, purgeAll } from '../src/cache/idb';
import { MemoryStore } from '../src/cache/memory';
import type { KeptRun, RangeStore } from '../src/cache/port';
import { roomFor } from '../src/cache/room';

const stores: [string, (limit: number) => Promise<RangeStore>][] = [
  ['memory', async (limit) => new MemoryStore(limit)],
  ['idb', (limit) => IdbStore.open(limit)],
];

const run = (first: number, size: number, value = 1): KeptRun => ({
  first,
  bytes: new Uint8Array(size).fill(value),
});
const firsts = async (store: RangeStore, object = 'a'): Promise<number[]> =>
  (await store.get(object, 0, 99)).map(({ first }) => first);

describe.each(stores)('a range store: %s', (_, open) => {
  beforeEach(() => {
    vi.restoreAllMocks();
    globalThis.indexedDB = new IDBFactory();
  });

  it('gives back the runs that begin in a range, in their order, and nothing else', async () => {
    const store = await open(1000);
    for (const first of [7, 2, 100]) await store.put('a', run(first, 10, first));
    await store.put('b', run(3, 10));
    expect(await store.get('a', 2, 50)).toMatchObject([run(2, 10, 2), run(7, 10, 7)]);
    expect(await store.get('a', 3, 6)).toEqual([]);
  });

  it('gives back what is not written yet', async () => {
    const store = await open(1000);
    const written = store.put('a', run(1, 10));
    expect(await store.get('a', 1, 1)).toMatchObject([run(1, 10)]);
    await written;
    expect(await store.get('a', 1, 1)).toMatchObject([run(1, 10)]);
  });

  it('lets the least recently used go when room is short', async () => {
    let now = 1000;
    vi.spyOn(Date, 'now').mockImplementation(() => ++now);
    const store = await open(100);
    await store.put('a', run(1, 40));
    await store.put('a', run(2, 40));
    await store.get('a', 1, 1);
    await store.put('a', run(3, 40));
    expect(await firsts(store)).toEqual([1, 3]);
  });

  it('forgets what is larger than all its room, and counts an overwritten run once', async () => {
    const store = await open(100);
    await store.put('a', run(9, 101));
    expect(await firsts(store)).toEqual([]);
    for (let i = 0; i < 5; i++) await store.put('a', run(1, 45));
    await store.put('a', run(2, 45));
    expect(await firsts(store)).toEqual([1, 2]);
  });

  it('forgets one object when told, also what is not written yet', async () => {
    const store = await open(1000);
    await store.put('a', run(1, 10));
    await store.put('b', run(1, 10));
    const late = store.put('a', run(2, 10));
    await store.purge('a');
    await late;
    expect([await firsts(store), await firsts(store, 'b')]).toEqual([[], [1]]);
  });
});

describe('IndexedDB', () => {
  beforeEach(() => {
    globalThis.indexedDB = new IDBFactory();
  });

  it('keeps runs from one opening to the next', async () => {
    await (await IdbStore.open(1000)).put('a', run(1, 9));
    expect(await firsts(await IdbStore.open(1000))).toEqual([1]);
  });

  it('shares its room with other workers and tabs', async () => {
    const [one, other] = [await IdbStore.open(100), await IdbStore.open(100)];
    await one.put('a', run(1, 60));
    await other.put('a', run(2, 30));
    await other.put('a', run(3, 30));
    const kept = await (await IdbStore.open(100)).get('a', 0, 99);
    expect(kept.reduce((sum, { bytes }) => sum + bytes.length, 0)).toBeLessThanOrEqual(100);
  });

  it('is emptied while it is open, and goes on without', async () => {
    const store = await IdbStore.open(1000);
    await store.put('a', run(1, 9));
    await purgeAll();
    await store.put('a', run(2, 9)); // raises nothing
    expect(await firsts(await IdbStore.open(1000))).toEqual([]);
  });
});

it('takes a share of what the browser gives', () => {
  expect([roomFor(true, 50e9), roomFor(false, 50e9), roomFor(false, 1e9), roomFor(false, undefined)]).toEqual(
    [300e6, 2e9, 500e6, 300e6],
  );
});
