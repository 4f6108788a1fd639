import { describe, expect, it } from 'vitest';
import { cacheBytesFor, FrameCache } from '../src/frames/frame_cache';
import { blockOf, prefetchPlan } from '../src/frames/plan';
import { JobQueue } from '../src/frames/queue';
import { decoded, frameInfo, seriesOf } from './samples';

describe('the queue', () => {
  it('gives the most urgent job, among equals the first', () => {
    const queue = new JobQueue();
    for (const [id, priority] of [
      [1, 5],
      [2, 1],
      [3, 1],
    ]) {
      queue.push({ id, priority });
    }
    expect(queue.remove(9)).toBeUndefined();
    expect(queue.pop(({ id }) => id > 3)).toBeUndefined();
    const pop = () => queue.pop(() => true);
    expect([pop()?.id, pop()?.id, pop()?.id, pop()]).toEqual([2, 3, 1, undefined]);
  });
});

describe('the cache', () => {
  it('stays within its bytes, the least recently used go', () => {
    const cache = new FrameCache(20);
    cache.put('a', decoded(new Int16Array(4)));
    cache.put('b', decoded(new Int16Array(4)));
    cache.get('a');
    cache.put('c', decoded(new Int16Array(4)));
    expect(['a', 'b', 'c'].map((key) => cache.has(key))).toEqual([true, false, true]);
    cache.put('huge', decoded(new Int16Array(400)));
    expect(['a', 'c', 'huge'].map((key) => cache.has(key))).toEqual([false, false, true]);
    cache.forget(({ data }) => data.length === 400);
    cache.put('d', decoded(new Int16Array(10)));
    expect(['huge', 'd'].map((key) => cache.has(key))).toEqual([false, true]);
  });

  it('is smaller on a small device', () => {
    expect([0.5, 3, 8, 64].map(cacheBytesFor)).toEqual([64e6, 96e6, 192e6, 192e6]);
  });
});

describe('the plan', () => {
  it('goes out from where the eye is, ahead first', () => {
    const series = seriesOf(Array.from({ length: 6 }, () => frameInfo()));
    expect(prefetchPlan(series, 2, 1)).toEqual([3, 1, 4, 0, 5]);
    expect(prefetchPlan(series, 2, -1)).toEqual([1, 3, 0, 4, 5]);
  });

  it('brings neighbours only where the series is large', () => {
    const series = seriesOf(Array.from({ length: 1000 }, () => frameInfo({ length: 100_000 })));
    const plan = prefetchPlan(series, 500, 1);
    expect(plan.length).toBe(32);
    expect(Math.max(...plan)).toBe(516);
  });

  it('brings no more than half of what may wait decoded', () => {
    const series = seriesOf(Array.from({ length: 100 }, () => frameInfo({ rows: 1000, columns: 500 })));
    expect(prefetchPlan(series, 50, 1, { sealed: 1e6, decoded: 20e6 }).length).toBe(10);
    expect(prefetchPlan(series, 50, 1, { sealed: 1e6, decoded: 200e6 }).length).toBe(99);
  });
});

describe('a block', () => {
  const none = () => false;
  const series = (count: number, step: number, length: number) =>
    seriesOf(Array.from({ length: count }, (_, i) => frameInfo({ offset: i * step, length })));

  it('holds eight neighbours, and every frame of it names the same one', () => {
    const film = series(20, 4096, 3500);
    const block = blockOf(film, 9, 'lossless', none);
    expect(block).toMatchObject({ start: 8 * 4096, end: 15 * 4096 + 3500 });
    expect(blockOf(film, 14, 'lossless', none)).toEqual(block);
    expect(blockOf(film, 16, 'lossless', none)?.end).toBe(19 * 4096 + 3500);
    expect(blockOf(film, 9, 'lossy', none)?.name).not.toBe(block?.name);
  });

  it('ends at frames that are there already', () => {
    const film = series(20, 4096, 3500);
    const block = (frame: number) => blockOf(film, frame, 'lossless', (index) => index === 11);
    expect(block(9)).toMatchObject({ start: 8 * 4096, end: 10 * 4096 + 3500 });
    expect(block(13)).toMatchObject({ start: 12 * 4096, end: 15 * 4096 + 3500 });
    expect(blockOf(film, 9, 'lossless', (index) => index !== 9)).toBeNull();
  });

  it('is none of frames that are large, far apart, alone or in different packs', () => {
    expect(blockOf(series(8, 1e6, 1e6), 3, 'lossless', none)).toBeNull();
    expect(blockOf(series(8, 40_960, 3500), 3, 'lossless', none)).toBeNull();
    expect(blockOf(series(1, 4096, 3500), 0, 'lossless', none)).toBeNull();
    const mixed = seriesOf([0, 1].map((pack) => frameInfo({ pack, offset: 4096 * pack, length: 3500 })));
    expect(blockOf(mixed, 0, 'lossless', none)).toBeNull();
  });
});
