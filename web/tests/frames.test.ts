import { describe, expect, it, vi } from 'vitest';
import { FilmFault } from '../src/faults';
import { FrameCache } from '../src/frames/frame_cache';
import { prefetchPlan } from '../src/frames/plan';
import { DecodePool, type WorkerLike } from '../src/frames/pool';
import type { Request } from '../src/frames/protocol';
import { FrameProvider } from '../src/frames/provider';
import { JobQueue } from '../src/frames/queue';
import { decoded, frameInfo, manifestOf, seriesOf } from './samples';

/** A worker that answers when it is told to. */
class StubWorker implements WorkerLike {
  onmessage: WorkerLike['onmessage'] = null;
  onerror: WorkerLike['onerror'] = null;
  readonly asked: Request[] = [];
  readonly terminate = vi.fn();

  postMessage(request: Request): void {
    this.asked.push(request);
  }

  frames(): number[] {
    return this.asked.flatMap((r) => (r.kind === 'decode' ? [r.frame.offset] : []));
  }

  answer(offset: number): void {
    const request = [...this.asked].reverse().find((r) => r.kind === 'decode' && r.frame.offset === offset);
    this.say({ id: request?.id, ok: true, ...decoded(new Int16Array(4)), fetched: 10 });
  }

  say(data: unknown): void {
    this.onmessage?.call(this as unknown as Worker, { data } as MessageEvent);
  }
}

const settled = (): Promise<void> => new Promise((done) => setTimeout(done));

function setUp(count: number) {
  const workers: StubWorker[] = [];
  const pool = new DecodePool(() => {
    workers.push(new StubWorker());
    return workers[workers.length - 1];
  }, 1);
  const manifest = manifestOf(seriesOf(Array.from({ length: count }, (_, offset) => frameInfo({ offset }))));
  const arrived: number[] = [];
  const provider = new FrameProvider(manifest, pool, (ref) => arrived.push(ref.frame));
  return { workers, provider, arrived };
}

const ref = (frame: number) => ({ series: 0, frame });

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
    expect([queue.pop()?.id, queue.pop()?.id, queue.pop()?.id, queue.pop()]).toEqual([2, 3, 1, undefined]);
  });
});

describe('the provider', () => {
  it('brings a frame once, however often it is asked for', async () => {
    const { workers, provider, arrived } = setUp(3);
    const [a, b] = [provider.get(ref(1)), provider.get(ref(1))];
    await settled();
    workers[0].answer(1);
    expect(await a).toBe(await b);
    expect(await provider.get(ref(1))).toBe(await a);
    expect(workers[0].frames()).toEqual([1]);
    expect([arrived, provider.fetchedBytes]).toEqual([[1], 10]);
  });

  it('lets the wanted frame overtake those that are brought ahead', async () => {
    const { workers, provider } = setUp(10);
    provider.prefetch([1, 2, 3, 4, 5].map(ref));
    void provider.get(ref(5));
    workers[0].answer(1);
    await settled();
    expect(workers[0].frames()).toEqual([1, 2, 3, 5]);
  });

  it('gives up what is not wanted any more, waiting or running, and brings it again when asked', async () => {
    const { workers, provider } = setUp(10);
    provider.prefetch([1, 2, 3, 4].map(ref));
    provider.prefetch([ref(2)]);
    expect(workers[0].asked.filter((r) => r.kind === 'abort').length).toBe(2);
    const again = provider.getWhileWanted(ref(1));
    const aborted = workers[0].asked[0];
    workers[0].say({ id: aborted.id, ok: false, kind: 'aborted', message: '' });
    await settled();
    workers[0].answer(1);
    expect((await again).data.length).toBe(4);
  });

  it('brings what was asked for by name, wherever the reader goes', async () => {
    const { workers, provider } = setUp(4);
    const named = provider.get(ref(3));
    const passing = provider.getWhileWanted(ref(2));
    provider.prefetch([ref(0)]);
    expect(workers[0].asked.filter((r) => r.kind === 'abort').map((r) => r.id)).toEqual([2]);
    workers[0].say({ id: 2, ok: false, kind: 'aborted', message: '' });
    await expect(passing).rejects.toMatchObject({ kind: 'aborted' });
    workers[0].answer(3);
    expect((await named).data.length).toBe(4);
  });

  it('tells what went wrong, and a later try may succeed', async () => {
    const { workers, provider } = setUp(2);
    const first = provider.get(ref(0));
    workers[0].say({ id: workers[0].asked[0]?.id, ok: false, kind: 'network', message: 'line' });
    await expect(first).rejects.toEqual(new FilmFault('network', 'line'));
    await settled();
    const second = provider.get(ref(0));
    workers[0].answer(0);
    expect((await second).data.length).toBe(4);
  });

  it('replaces a worker that died', async () => {
    const { workers, provider } = setUp(2);
    const lost = provider.get(ref(0));
    workers[0].onerror?.call(workers[0] as unknown as Worker, { message: 'out of memory' } as ErrorEvent);
    await expect(lost).rejects.toMatchObject({ kind: 'network' });
    expect(workers[0].terminate).toHaveBeenCalled();
    await settled();
    const next = provider.get(ref(0));
    workers[1].answer(0);
    expect((await next).data.length).toBe(4);
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
});
