import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { MemoryStore } from '../src/cache/memory';
import { chunksOf, parseHeader } from '../src/decode/sealed/header';
import { SealedObject } from '../src/decode/sealed/opener';
import { SealBroken } from '../src/decode/sm4/gcm';
import { FilmFault } from '../src/faults';
import { type OpenedRun, RangeReader } from '../src/frames/range_reader';
import { hex, toHex } from './hex';

// the same file that the server's side is tested with
const VECTORS = new URL('../../tests/vectors/sealed_vectors.json', import.meta.url);
const vector = JSON.parse(readFileSync(VECTORS, 'utf8')).sealed_object;

const header = hex(vector.header);
const sealed = hex(vector.sealed);
const plain = hex(vector.plain);
const base64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes));
const pack = {
  object_id: vector.object_id,
  url: '/pack',
  key: base64(hex(vector.k_pixel)),
  header: base64(header),
};
const never = new AbortController().signal;

describe('the header', () => {
  it('is read as the server wrote it', () => {
    const read = parseHeader(header);
    expect(read.objectId).toBe(vector.object_id);
    expect(toHex(read.noncePrefix)).toBe(vector.nonce_prefix);
    expect(read.plainLength).toBe(vector.plain_length);
    expect(read.chunkLength).toBe(4096);
    expect(read.chunkCount).toBe(3);
    expect(toHex(read.digest)).toBe(vector.aad);
  });

  it.each([0, 4, 5])('with another byte %i is refused', (at) => {
    const other = header.slice();
    other[at] ^= 0x40;
    expect(() => parseHeader(other)).toThrow(SealBroken);
  });

  it('tells where chunks lie, the last one shorter', () => {
    const read = parseHeader(header);
    expect(chunksOf(read, 4096, 4097)).toEqual({ first: 1, last: 1, cipherStart: 4176, cipherEnd: 8288 });
    const end = chunksOf(read, 8191, vector.plain_length);
    expect(end).toMatchObject({ first: 1, last: 2, cipherEnd: vector.class_map_span[0] });
  });

  it.each([
    [-1, 5],
    [5, 5],
    [0, 8293],
    [Number.NaN, 5],
  ])('refuses the bytes %d–%d', (start, end) => {
    expect(() => chunksOf(parseHeader(header), start, end)).toThrow(SealBroken);
  });
});

describe('the pixel key', () => {
  const object = new SealedObject(pack);
  const open = (start: number, end: number, from = sealed): Uint8Array => {
    const range = object.rangeOf(start, end);
    const target = new Uint8Array(object.plainLengthOf(range));
    object.open(range, from.subarray(range.cipherStart, range.cipherEnd), target);
    return target.subarray(start - 4096 * range.first, end - 4096 * range.first);
  };

  it('opens pixel chunks, also across their border and at the end', () => {
    for (const [start, end] of [
      [4096, 8192],
      [5000, 8250],
      [8291, 8292],
    ]) {
      expect(toHex(open(start, end))).toBe(toHex(plain.subarray(start, end)));
    }
  });

  it('does not open head chunks', () => {
    expect(() => open(0, 100)).toThrow(SealBroken);
  });

  it('refuses a flipped bit, a swapped chunk, a cut range', () => {
    const flipped = sealed.slice();
    flipped[6000] ^= 1;
    expect(() => open(4096, 4097, flipped)).toThrow(SealBroken);
    const swapped = sealed.slice();
    swapped.set(sealed.subarray(64, 4176), 4176);
    expect(() => open(4096, 4097, swapped)).toThrow(SealBroken);
    expect(() => open(4096, 4097, sealed.subarray(0, 8000))).toThrow(SealBroken);
  });

  it('refuses the header of another object', () => {
    expect(() => new SealedObject({ ...pack, object_id: 'ff'.repeat(16) })).toThrow(SealBroken);
  });
});

describe('the range reader', () => {
  const whole = 64 + 3 * 16 + vector.plain_length; // behind it lies the class map
  const [second, third] = [4176, 8288]; // where chunks 1 and 2 begin

  function readerOf(store = new MemoryStore(1e6), bytes = sealed) {
    const asked: [number, number][] = [];
    const reader = new RangeReader(store, async (_, start, end) => {
      asked.push([start, end]);
      return bytes.slice(start, end);
    });
    const read = async (start: number, end: number, opened?: OpenedRun) => {
      const got = await reader.read(pack, start, end, never, { opened });
      expect(toHex(got.plain)).toBe(toHex(plain.subarray(start, end)));
      return got;
    };
    return { read, reader, asked, store };
  }

  it('fetches chunks once, and ciphertext is what it keeps', async () => {
    const { read, asked, store } = readerOf();
    expect((await read(5000, 8200)).fetched).toBe(whole - second);
    const again = readerOf(store);
    expect((await again.read(5000, 8200)).fetched).toBe(0);
    expect([asked, again.asked]).toEqual([[[second, whole]], []]);
    expect(await store.get(vector.object_id, 0, 9)).toEqual([
      { first: 1, bytes: sealed.slice(second, whole) },
    ]);
  });

  it('goes on where it stopped, with the same bytes or with what is kept', async () => {
    const { read, asked, store } = readerOf();
    const head = await read(5000, 5100);
    expect((await read(5000, 8200, head.run)).fetched).toBe(whole - third);
    expect(asked).toEqual([
      [second, third],
      [third, whole],
    ]);
    const later = readerOf(store);
    expect((await later.read(5000, 8200)).fetched).toBe(0);
    expect(later.asked).toEqual([]);
  });

  it('takes from a longer run what it needs', async () => {
    const { read, store } = readerOf();
    await read(5000, 8200);
    expect((await readerOf(store).read(5000, 5100)).fetched).toBe(0);
  });

  it('fetches only what is missing before and between kept runs', async () => {
    const { read, store } = readerOf();
    await read(8200, 8210);
    const later = readerOf(store);
    expect((await later.read(5000, 8205)).fetched).toBe(third - second);
    expect(later.asked).toEqual([[second, third]]);
  });

  it('fetches a block once for all frames in it, and keeps each by itself', async () => {
    const { reader, asked, store } = readerOf();
    const block = { name: 'b', start: 4096, end: 8292 };
    const spans = [
      [4096, 8000],
      [8192, 8292],
    ] as const;
    const got = await Promise.all(
      spans.map(([start, end]) => reader.read(pack, start, end, never, { block })),
    );
    expect(got.map(({ plain: bytes }) => toHex(bytes))).toEqual(
      spans.map(([start, end]) => toHex(plain.subarray(start, end))),
    );
    expect(asked).toEqual([[second, whole]]);
    // together they say what came, and none of it twice
    expect(got.map(({ fetched }) => fetched)).toEqual([third - second, whole - third]);
    const later = readerOf(store);
    expect((await later.read(8192, 8292)).fetched).toBe(0);
    const kept = await store.get(vector.object_id, 0, 9);
    expect(kept.map(({ bytes }) => bytes.buffer.byteLength)).toEqual([third - second, whole - third]);
  });

  it('asks again for a block that did not come, and for one that is not held any more', async () => {
    let tries = 0;
    const reader = new RangeReader(new MemoryStore(0), async (_, start, end) => {
      if (++tries === 1) throw new FilmFault('network', 'line');
      return sealed.slice(start, end);
    });
    const read = (name: string) =>
      reader.read(pack, 4096, 8000, never, { block: { name, start: 4096, end: 8292 } });
    await expect(read('a')).rejects.toMatchObject({ kind: 'network' });
    for (const name of ['a', 'b', 'c', 'a', 'd', 'a']) await read(name);
    expect(tries).toBe(6);
  });

  it('keeps nothing that did not verify', async () => {
    const bad = sealed.slice();
    bad[7000] ^= 1;
    const { reader, store } = readerOf(new MemoryStore(1e6), bad);
    await expect(reader.read(pack, 5000, 8200, never)).rejects.toThrow(SealBroken);
    expect(await store.get(vector.object_id, 0, 9)).toEqual([]);
  });

  it.each([[new Uint8Array(whole - second)], [new Uint8Array(5)], [new Uint8Array(50_000)]])(
    'fetches again what rotted in the store (%#)',
    async (bytes) => {
      const { read, store } = readerOf();
      await store.put(vector.object_id, { first: 1, bytes });
      expect((await read(5000, 8200)).fetched).toBe(whole - second);
      expect((await readerOf(store).read(5000, 8200)).fetched).toBe(0);
    },
  );

  it('forgets an object that may not be opened any more', async () => {
    const { read, store } = readerOf();
    await read(5000, 5100);
    const refused = new RangeReader(store, async () => {
      throw new FilmFault('denied', 'the share ended');
    });
    await expect(refused.read(pack, 5000, 8200, never)).rejects.toMatchObject({ kind: 'denied' });
    expect(await store.get(vector.object_id, 0, 9)).toEqual([]);
  });
});
