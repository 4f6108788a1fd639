import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { IdbStore } from '../src/cache/idb';
import { MemoryStore } from '../src/cache/memory';
import type { RangeStore } from '../src/cache/port';

const stores: [string, (limit: number) => Promise<RangeStore>][] = [
  ['memory', async (limit) => new MemoryStore(limit)],
  ['idb', (limit) => IdbStore.open(limit)],
];

const bytes = (n: number, value = 1): Uint8Array => new Uint8Array(n).fill(value);

describe.each(stores)('a range store: %s', (_, open) => {
  beforeEach(() => {
    vi.restoreAllMocks();
    globalThis.indexedDB = new IDBFactory();
  });

  it('gives back what was put, and nothing else', async () => {
    const store = await open(1000);
    await store.put('a:0-1', bytes(10, 7));
    expect(await store.get('a:0-1')).toEqual(bytes(10, 7));
    expect(await store.get('a:0-2')).toBeUndefined();
  });

  it('lets the least recently used go when room is short', async () => {
    let now = 1000;
    vi.spyOn(Date, 'now').mockImplementation(() => ++now);
    const store = await open(100);
    await store.put('a', bytes(40));
    await store.put('b', bytes(40));
    await store.get('a');
    await store.put('c', bytes(40));
    expect(await store.get('a')).toBeDefined();
    expect(await store.get('b')).toBeUndefined();
    expect(await store.get('c')).toBeDefined();
  });

  it('forgets what is larger than all its room, and counts an overwritten range once', async () => {
    const store = await open(100);
    await store.put('big', bytes(101));
    expect(await store.get('big')).toBeUndefined();
    for (let i = 0; i < 5; i++) await store.put('a', bytes(45));
    await store.put('b', bytes(45));
    expect(await store.get('a')).toBeDefined();
  });
});

it('IndexedDB keeps ranges from one opening to the next', async () => {
  await (await IdbStore.open(1000)).put('kept', bytes(9));
  expect(await (await IdbStore.open(1000)).get('kept')).toEqual(bytes(9));
});
