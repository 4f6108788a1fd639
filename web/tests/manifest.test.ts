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
    text({ version: 2 }),
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

  it('opens where it says, else in the middle of the first series with frames', () => {
    const series = [seriesOf([]), seriesOf([frameInfo(), frameInfo(), frameInfo()])];
    const film = manifestOf(...series);
    expect(firstFrame(film)).toEqual({ series: 1, frame: 1 });
    expect(firstFrame({ ...film, first: { series: 1, frame: 2 } })).toEqual({ series: 1, frame: 2 });
    expect(firstFrame({ ...film, first: { series: 0, frame: 9 } })).toEqual({ series: 1, frame: 1 });
    expect(firstFrame(manifestOf(seriesOf([])))).toBeNull();
  });
});
