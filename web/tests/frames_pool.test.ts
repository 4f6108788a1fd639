import { describe, expect, it } from 'vitest';
import { DecodePool, workersFor } from '../src/frames/pool';
import { frameInfo, seriesOf } from './samples';
import { StubWorker } from './stub_worker';

describe('the pool', () => {
  it('starts a worker with its first job, and spreads jobs', () => {
    const workers: StubWorker[] = [];
    const pool = new DecodePool(() => {
      workers.push(new StubWorker());
      return workers[workers.length - 1];
    }, 2);
    const ask = (offset: number) =>
      pool.submit(
        {
          kind: 'frame',
          pack: seriesOf([]).packs[0],
          frame: frameInfo({ offset }),
          preview: null,
          block: null,
        },
        0,
        () => undefined,
      );
    expect(workers.length).toBe(0);
    ask(1);
    expect(workers.length).toBe(1);
    ask(2);
    ask(3);
    expect(workers.map((worker) => worker.frames())).toEqual([[1, 3], [2]]);
  });

  it('leaves a block to the worker that has begun it', () => {
    const workers: StubWorker[] = [];
    const pool = new DecodePool(() => {
      workers.push(new StubWorker());
      return workers[workers.length - 1];
    }, 2);
    const ask = (offset: number, name: string) =>
      pool.submit(
        {
          kind: 'frame',
          pack: seriesOf([]).packs[0],
          frame: frameInfo({ offset }),
          preview: null,
          block: { name, start: 0, end: 99 },
        },
        0,
        () => undefined,
      );
    for (const [offset, name] of [
      [1, 'a'],
      [2, 'a'],
      [3, 'b'],
      [4, 'a'],
      [5, 'a'],
      [6, 'b'],
    ] as const)
      ask(offset, name);
    expect(workers.map((worker) => worker.frames())).toEqual([
      [1, 2, 4],
      [3, 6],
    ]);
    workers[0].answer(1);
    expect(workers[0].frames()).toEqual([1, 2, 4, 5]);
  });

  it('has two workers where one could do, and no more than three', () => {
    expect([1, 2, 4, 8, 64, Number.NaN].map(workersFor)).toEqual([2, 2, 2, 3, 3, 2]);
  });
});
