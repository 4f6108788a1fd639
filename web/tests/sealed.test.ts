import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { MemoryStore } from '../src/cache/memory';
import { chunksOf, parseHeader } from '../src/decode/sealed/header';
import { SealedObject } from '../src/decode/sealed/opener';
import { SealBroken } from '../src/decode/sm4/gcm';
import { FrameReader } from '../src/frames/frame_reader';
import { hex, toHex } from './hex';
import { frameInfo } from './samples';

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
    return object.slice(
      object.open(range, from.subarray(range.cipherStart, range.cipherEnd)),
      range,
      start,
      end,
    );
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

describe('the frame reader', () => {
  const frame = frameInfo({ offset: 5000, length: 3200 });
  const wanted = toHex(plain.subarray(5000, 8200));

  function readerOf(store: MemoryStore, bytes = sealed) {
    const asked: string[] = [];
    const reader = new FrameReader(store, async (url, start, end) => {
      asked.push(`${url} ${start}-${end}`);
      return bytes.slice(start, end);
    });
    return { reader, asked };
  }

  it('fetches the chunks once, and ciphertext is what it keeps', async () => {
    const store = new MemoryStore(1e6);
    const { reader, asked } = readerOf(store);
    const first = await reader.read(pack, frame, never);
    expect([toHex(first.plain), first.fetched]).toEqual([wanted, 8404 - 4176]);
    const second = await readerOf(store).reader.read(pack, frame, never);
    expect([toHex(second.plain), second.fetched]).toEqual([wanted, 0]);
    expect(asked).toEqual(['/pack 4176-8404']);
    expect(await store.get(`${vector.object_id}:1-2`)).toEqual(sealed.slice(4176, 8404));
  });

  it('keeps nothing that did not verify', async () => {
    const store = new MemoryStore(1e6);
    const bad = sealed.slice();
    bad[7000] ^= 1;
    await expect(readerOf(store, bad).reader.read(pack, frame, never)).rejects.toThrow(SealBroken);
    expect(await store.get(`${vector.object_id}:1-2`)).toBeUndefined();
  });

  it('fetches again what rotted in the store', async () => {
    const store = new MemoryStore(1e6);
    await store.put(`${vector.object_id}:1-2`, new Uint8Array(8404 - 4176));
    const { plain: again, fetched } = await readerOf(store).reader.read(pack, frame, never);
    expect([toHex(again), fetched]).toEqual([wanted, 8404 - 4176]);
  });
});
