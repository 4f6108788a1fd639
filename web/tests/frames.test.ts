import { describe, expect, it } from 'vitest';
import type { FrameInfo, SeriesInfo } from '../src/dicom/manifest';
import { FilmFault } from '../src/faults';
import { DecodePool } from '../src/frames/pool';
import type { CoarseFrame, SeriesRequest } from '../src/frames/protocol';
import { FrameProvider } from '../src/frames/provider';
import { Line } from '../src/transport/line';
import { decoded, frameInfo, manifestOf, seriesOf } from './samples';
import { StubWorker } from './stub_worker';

const settled = (): Promise<void> => new Promise((done) => setTimeout(done));

function setUp(count: number, series?: SeriesInfo, line = new Line()) {
  const workers: StubWorker[] = [];
  const pool = new DecodePool(() => {
    workers.push(new StubWorker());
    return workers[workers.length - 1];
  }, 1);
  const manifest = manifestOf(
    series ?? seriesOf(Array.from({ length: count }, (_, offset) => frameInfo({ offset }))),
  );
  const arrived: number[] = [];
  const provider = new FrameProvider(manifest, pool, (ref) => arrived.push(ref.frame), line, 1e6);
  return { workers, provider, arrived };
}

const ref = (frame: number) => ({ series: 0, frame });

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
    workers[0].fail(aborted.id, 'aborted');
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
    workers[0].fail(2, 'aborted');
    await expect(passing).rejects.toMatchObject({ kind: 'aborted' });
    workers[0].answer(3);
    expect((await named).data.length).toBe(4);
  });

  it('tells what went wrong, and a later try may succeed', async () => {
    const { workers, provider } = setUp(2);
    const first = provider.get(ref(0));
    workers[0].fail(1, 'network');
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

/** Frames with coarse levels: 100 bytes each up to 32², 200 more up to 64². */
function seriesWithLow(count: number, other: Partial<FrameInfo> = {}): SeriesInfo {
  const levels = [50, 100, 300, 1000];
  const frames = Array.from({ length: count }, (_, offset) =>
    frameInfo({ offset, codec: 'htj2k', rows: 256, columns: 256, length: 1000, levels, ...other }),
  );
  const parts = frames.map((_, i) => [100 * i, 100, 100 * count + 200 * i, 200] as const);
  const low = { pack: 0, offset: 8192, length: 300 * count, small: 100 * count, parts };
  return { ...seriesOf(frames), low };
}

function coarseFrame(index: number, columns = 32): CoarseFrame {
  return { index, ...decoded(new Int16Array(4)), columns, rows: columns, resolution: 'coarse' };
}

describe('coarse levels', () => {
  it('are asked for behind the first frame, before neighbours', async () => {
    const { workers, provider } = setUp(0, seriesWithLow(3));
    const told: (readonly number[])[] = [];
    provider.onCoarse = (_, frames) => told.push(frames);
    void provider.getWhileWanted(ref(1));
    provider.prefetch([ref(1), ref(2), ref(0)]);
    expect(workers[0].asked.map((r) => r.kind)).toEqual(['frame']);
    workers[0].answer(1);
    await settled();
    const { id, ...request } = workers[0].asked[1];
    expect(request).toMatchObject({ kind: 'series', offset: 8192, length: 900 });
    expect((request as SeriesRequest).parts[2]).toMatchObject({
      index: 2,
      at: 200,
      length: 100,
      skip: 2,
      moreAt: 700,
      moreLength: 200,
      moreSkip: 1,
    });
    expect(workers[0].asked.length).toBe(2);
    workers[0].say({
      id,
      kind: 'coarse',
      frames: [coarseFrame(0), coarseFrame(1)],
      fetched: 7,
      milliseconds: 1,
    });
    expect(provider.peekAny(ref(0))).toMatchObject({ columns: 32, resolution: 'coarse' });
    expect(provider.peekAny(ref(1))).toMatchObject({ resolution: 'full' });
    expect([provider.has(ref(0)), provider.peek(ref(0)), provider.peekAny(ref(2))]).toEqual([
      false,
      undefined,
      undefined,
    ]);
    await settled();
    expect(workers[0].frames()).toEqual([1]);
    workers[0].say({ id, kind: 'coarse', frames: [coarseFrame(2)], fetched: 0, milliseconds: 0 });
    await provider.coarse(0).small;
    await settled();
    expect(workers[0].frames()).toEqual([1, 2, 0]);
    expect([told, provider.fetchedBytes]).toEqual([[[0, 1], [2]], 17]);
  });

  it('leave the line to the first frame of all, not to every later one', async () => {
    const { workers, provider } = setUp(0, seriesWithLow(3));
    void provider.getWhileWanted(ref(1)).catch(() => undefined);
    provider.coarse(0);
    expect(workers[0].asked.map((r) => r.kind)).toEqual(['frame']);
    workers[0].fail(1, 'damaged');
    void provider.getWhileWanted(ref(2));
    await settled();
    expect(workers[0].asked.map((r) => r.kind)).toEqual(['frame', 'frame', 'series']);
  });

  it('that cannot be had keep nobody waiting', async () => {
    const { workers, provider } = setUp(0, seriesWithLow(2));
    provider.prefetch([ref(0)]);
    workers[0].fail(1, 'broken');
    await provider.coarse(0).complete;
    await settled();
    expect(workers[0].frames()).toEqual([0]);
    expect(provider.peekAny(ref(0))).toBeUndefined();
  });

  it.each([
    ['a palette: means of its indexes are no colours', { photometric: 'PALETTE COLOR' }],
    ['levels that end elsewhere', { levels: [50, 99, 300, 1000] }],
    ['no levels', { levels: null }],
  ])('are not shown of %s', (_, other) => {
    const { workers, provider } = setUp(0, seriesWithLow(2, other as Partial<FrameInfo>));
    expect(provider.coarse(0).frames).toEqual([]);
    expect(workers).toEqual([]); // none was started
  });

  it('outside of their place are not asked for', () => {
    const series = seriesWithLow(2);
    const low = { ...series.low!, parts: [[0, 100, 550, 200], series.low!.parts[1]] as never };
    const { workers, provider } = setUp(0, { ...series, low });
    provider.coarse(0);
    expect(workers[0].asked[0]).toMatchObject({ parts: [{ index: 1 }] });
  });
});

describe('a slow line', () => {
  const slow = (): Line => new Line({ downlink: 0.02 }); // 2.5 bytes a millisecond: 1000 bytes take 400

  it('brings the first bytes of the frame on screen before the rest', async () => {
    const { workers, provider } = setUp(
      0,
      seriesWithLow(4, { length: 1001, levels: [50, 100, 300, 1001] }),
      slow(),
    );
    void provider.getWhileWanted(ref(1));
    const { id, ...request } = workers[0].asked[0];
    expect(request).toMatchObject({ preview: { bytes: 300, skip: 1 } });
    workers[0].say({ id, kind: 'coarse', frames: [coarseFrame(0, 128)], fetched: 300, milliseconds: 9 });
    expect(provider.peekAny(ref(1))).toMatchObject({ columns: 128 });
    workers[0].answer(1);
    await settled();
    expect(provider.peekAny(ref(1))).toMatchObject({ resolution: 'full' });
  });

  it('is left to the frame on screen', async () => {
    const { workers, provider } = setUp(0, seriesWithLow(4, { length: 2000, low: null } as never), slow());
    provider.coarse(0);
    workers[0].say({ id: 1, kind: 'done', frame: null, fetched: 0, milliseconds: 0 });
    await settled();
    void provider.getWhileWanted(ref(1)).catch(() => undefined);
    provider.prefetch([ref(1), ref(2)]);
    await settled();
    expect(workers[0].frames()).toEqual([1]);
    void provider.getWhileWanted(ref(2));
    provider.prefetch([ref(2), ref(1)]);
    expect(workers[0].asked.at(-1)).toMatchObject({ kind: 'abort', id: workers[0].requestOf(1).id });
  });

  it('is left to every frame on screen, not to the first alone', async () => {
    const { workers, provider } = setUp(0, seriesWithLow(4, { length: 2000, low: null } as never), slow());
    void provider.getWhileWanted(ref(1));
    void provider.getWhileWanted(ref(3));
    provider.prefetchAround(ref(1), 1, [ref(1), ref(3)]);
    expect(workers[0].asked.filter(({ kind }) => kind === 'abort')).toEqual([]);
    await settled();
  });

  it('that is fast brings neighbours ahead by one request, the frame on screen by itself', async () => {
    const frames = Array.from({ length: 8 }, (_, i) => frameInfo({ offset: i * 4096, length: 4000 }));
    const blocks = (workers: StubWorker[]) =>
      workers[0].asked.flatMap((r) => (r.kind === 'frame' ? [r.block?.end ?? null] : []));
    const fast = setUp(0, seriesOf(frames));
    void fast.provider.getWhileWanted(ref(3));
    fast.provider.prefetchAround(ref(3), 1);
    fast.workers[0].answer(3 * 4096);
    await settled();
    expect(blocks(fast.workers)).toEqual([null, 7 * 4096 + 4000, 2 * 4096 + 4000, 7 * 4096 + 4000]);
    // 4 kB are there in 160 ms, three frames in 490
    const line = new Line({ downlink: 0.2 });
    const slower = setUp(0, seriesOf(frames), line);
    void slower.provider.getWhileWanted(ref(3));
    slower.provider.prefetchAround(ref(3), 1);
    slower.workers[0].answer(3 * 4096);
    await settled();
    expect(blocks(slower.workers)).toEqual([null, null, null, null]);
  });

  it('that proves to be fast carries the whole series', async () => {
    // by the first guess 60 frames of 1 MB are too much
    const line = new Line({ downlink: 1 });
    const { workers, provider } = setUp(
      0,
      seriesOf(Array.from({ length: 60 }, (_, i) => frameInfo({ offset: i, length: 1e6 }))),
      line,
    );
    void provider.getWhileWanted(ref(30));
    provider.prefetchAround(ref(30), 1);
    workers[0].say({
      id: 1,
      kind: 'done',
      frame: decoded(new Int16Array(4)),
      fetched: 1e6,
      milliseconds: 10,
    });
    await settled();
    for (let i = 0; i < 60; i++) {
      for (const request of workers[0].asked.slice())
        if (request.kind === 'frame') workers[0].answer(request.frame.offset);
      await settled();
    }
    expect(new Set(workers[0].frames()).size).toBe(60);
  });

  it('is known by what came over it', () => {
    const line = new Line();
    expect(line.isNoticedFor(1e9)).toBe(false);
    line.note(1000, 10_000); // too little to tell
    expect(line.isNoticedFor(1e9)).toBe(false);
    line.note(100_000, 1000);
    expect([line.isNoticedFor(39_000), line.isNoticedFor(41_000)]).toEqual([false, true]);
    for (let i = 0; i < 20; i++) line.note(100_000, 1);
    expect(line.isNoticedFor(1e6)).toBe(false);
    const guessed = new Line({ downlink: 0.01 });
    guessed.note(100_000, 10);
    expect(guessed.isNoticedFor(1e6)).toBe(false);
  });
});

describe('the choice of quality', () => {
  const lossy = { offset: 77_000, length: 200 };

  it('saves data where the browser is told to, and brings the exact frame when that is chosen', async () => {
    const { workers, provider } = setUp(0, seriesWithLow(2, { lossy }), new Line({ saveData: true }));
    expect(provider.quality).toBe('lossy');
    void provider.get(ref(0));
    expect(workers[0].asked[0]).toMatchObject({ frame: { ...lossy, codec: 'htj2k', levels: null } });
    workers[0].answer(77_000);
    await settled();
    expect(provider.peek(ref(0))).toMatchObject({ resolution: 'lossy' });
    provider.quality = 'lossless';
    expect(provider.has(ref(0))).toBe(false);
    void provider.get(ref(0));
    workers[0].answer(0);
    await settled();
    expect(provider.peek(ref(0))).toMatchObject({ resolution: 'full' });
    provider.quality = 'lossy';
    expect(provider.peek(ref(0))).toMatchObject({ resolution: 'full' }); // better than what was asked for
  });

  it('does not keep what was on its way when it changed', async () => {
    const { workers, provider } = setUp(0, seriesWithLow(1, { lossy }));
    provider.quality = 'lossy';
    const named = provider.get(ref(0));
    provider.quality = 'lossless';
    workers[0].answer(77_000);
    expect((await named).resolution).toBe('lossy');
    await settled();
    expect(provider.has(ref(0))).toBe(false);
  });

  it('has one form only of a palette, and of frames without a smaller copy', () => {
    const { workers, provider } = setUp(0, seriesWithLow(1, { lossy, photometric: 'PALETTE COLOR' }));
    provider.quality = 'lossy';
    void provider.get(ref(0));
    expect(workers[0].frames()).toEqual([0]);
  });
});
