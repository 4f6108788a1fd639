import { describe, expect, it } from 'vitest';
import { firstFrame, readManifest } from '../src/dicom/read_manifest';
import { frameInfo, manifestOf, seriesOf } from './samples';

const text = (other: object = {}): string =>
  JSON.stringify({ ...manifestOf(seriesOf([frameInfo(), frameInfo(), frameInfo()])), ...other });

describe('a manifest', () => {
  it('is read, with fields that are not known yet', () => {
    expect(readManifest(text({ live: null, low: 5 })).series[0].frames.length).toBe(3);
  });

  it.each([
    '',
    'null',
    '[',
    '7',
    '{}',
    text({ version: 3 }),
    text({ series: {} }),
    text({ documents: 1 }),
    text({ series: [null] }),
    text({ series: [{ packs: [], frames: [frameInfo()] }] }),
  ])('that is not one is refused: %.40s', (bad) => {
    expect(() => readManifest(bad)).toThrow(expect.objectContaining({ kind: 'damaged' }));
  });

  it.each([
    { pack: 1 },
    { length: 0 },
    { offset: -1 },
    { offset: 1.5 },
    { rows: 0 },
    { columns: 1e9 },
    { samples: 4 },
    { bits_allocated: 12 },
    { bits_stored: 17 },
    { slope: null as unknown as number },
    { center: 40 as unknown as number[] },
  ])('with a frame like %o is refused, and the place is said', (wrong) => {
    const bad = text({ series: [seriesOf([frameInfo(), frameInfo(wrong)])] });
    expect(() => readManifest(bad)).toThrow(/series 0, frame 1/);
  });

  it('unfolds what is common to all frames, and columns of what differs', () => {
    const { frames: _, ...series } = seriesOf([]);
    const { length: _l, number: _n, instance: _i, planar: _p, ...common } = frameInfo();
    const columns = { length: [7, 8], number: [1, 2], instance: ['1', '2'] };
    const read = readManifest(
      text({ series: [{ ...series, count: 2, common, columns, instance_prefix: '1.2.' }] }),
    );
    expect(read.series[0].frames).toEqual([
      frameInfo({ length: 7, number: 1, instance: '1.2.1' }),
      frameInfo({ length: 8, number: 2, instance: '1.2.2' }),
    ]);
    const short = { ...columns, number: [1] };
    expect(() => readManifest(text({ series: [{ ...series, count: 2, common, columns: short }] }))).toThrow(
      /number/,
    );
    expect(() => readManifest(text({ series: [{ ...series, count: 1e9, common, columns }] }))).toThrow(
      /count/,
    );
  });

  it('opens where it says, else in the middle of the first series with frames', () => {
    const series = [seriesOf([]), seriesOf([frameInfo(), frameInfo(), frameInfo()])];
    const film = manifestOf(...series);
    expect(firstFrame(film)).toEqual({ series: 1, frame: 1 });
    expect(firstFrame({ ...film, first: { series: 1, frame: 2 } })).toEqual({ series: 1, frame: 2 });
    expect(firstFrame({ ...film, first: { series: 0, frame: 9 } })).toEqual({ series: 1, frame: 1 });
    expect(firstFrame(manifestOf(seriesOf([])))).toBeNull();
  });
});
