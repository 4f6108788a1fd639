import { describe, expect, it, vi } from 'vitest';
import type { SeriesInfo } from '../src/dicom/manifest';
import { answer } from '../src/embed/bridge';
import { createControl } from '../src/embed/control';
import type { DecodedFrame } from '../src/frames/protocol';
import type { FrameProvider } from '../src/frames/provider';
import type { PatientPoint } from '../src/math/coordinates';
import { FilmSession } from '../src/session/film_session';
import { decoded, frameInfo, manifestOf, seriesOf } from './samples';

const COUNT = 9;

/** Two series of axial slices, 5 mm apart; a frame comes when `bring` is called, or at once after `isFast`. */
function setUp(isFast: boolean, spaces: readonly (string | null)[] = [null, null]) {
  const series = spaces.map((space, s): SeriesInfo => {
    const frames = Array.from({ length: COUNT }, (_, i) =>
      frameInfo({
        instance: `${s}.${i}`,
        position: [0, 0, 5 * i],
        orientation: [1, 0, 0, 0, 1, 0],
        spacing: [1, 1],
      }),
    );
    return { ...seriesOf(frames), uid: `1.${s}`, frame_of_reference: space };
  });
  const waiting: ((frame: DecodedFrame) => void)[] = [];
  const frames = {
    quality: 'lossless',
    fetchedBytes: 0,
    peek: () => (isFast ? decoded(new Int16Array(16)) : undefined),
    peekAny: () => undefined,
    has: () => isFast,
    coarse: () => ({ arrived: 0 }),
    getWhileWanted: () => new Promise<DecodedFrame>((resolve) => waiting.push(resolve)),
    prefetchAround: () => undefined,
  } as unknown as FrameProvider;
  vi.stubGlobal('requestAnimationFrame', () => 0);
  const session = new FilmSession(manifestOf(...series), frames, () => undefined);
  const bring = async (): Promise<void> => {
    for (const resolve of waiting.splice(0)) resolve(decoded(new Int16Array(16)));
    await new Promise((done) => setTimeout(done));
  };
  return { session, bring };
}

describe('a cell', () => {
  it('never shows a picture under the name of another series', async () => {
    const { session, bring } = setUp(false);
    const cell = session.active.value;
    void session.goto({ series: 0, frame: 1 });
    await bring();
    void session.goto({ series: 0, frame: 2 });
    expect(cell.shown.value).toEqual({ series: 0, frame: 1 }); // in one series the last picture stays
    void session.goto({ series: 1, frame: 2 });
    expect([cell.picture.value, cell.shown.value, cell.voi.value]).toEqual([null, null, null]);
    await bring();
    expect(cell.shown.value).toEqual({ series: 1, frame: 2 });
    const cut = { centre: [0, 0, 0] as PatientPoint, right: [1, 0, 0], down: [0, 0, -1] } as const;
    cell.showCut(1, { ...cut, slab_mm: 0, blend: 'mean' });
    expect(cell.picture.value).toBeNull();
  });
});

describe('a sheet', () => {
  it('is looked at alike in all cells, and keeps what the reader does while its frames come', async () => {
    const { session, bring } = setUp(false);
    void session.goto({ series: 0, frame: 0 });
    await bring();
    session.setLayout({ rows: 2, columns: 2, mode: 'sheet' });
    session.setVoi(session.active.value, { center: -600, width: 1500 });
    session.setView(session.active.value, { ...session.active.value.view.value, zoom: 3 });
    session.setInverted(session.active.value, true);
    await bring();
    session.fitVoi(session.active.value, 'all');
    for (const cell of session.cells.value) {
      expect(cell.chosen.value).toEqual(session.active.value.chosen.value);
      expect([cell.view.value.zoom, cell.isInverted.value]).toEqual([3, true]);
    }
  });
});

describe('cine', () => {
  it('ends with the cell that it plays in, and goes round on a sheet', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'performance'] });
    try {
      const { session } = setUp(true);
      session.setLayout({ rows: 1, columns: 2, mode: 'sheet' });
      await session.goto({ series: 0, frame: COUNT - 2 });
      session.cine.start();
      await vi.advanceTimersByTimeAsync(50);
      expect(session.active.value.wanted?.frame).toBe(0);
      session.setLayout({ rows: 1, columns: 2, mode: 'stack' });
      session.activate(1);
      session.setLayout({ rows: 1, columns: 1, mode: 'stack' });
      await vi.advanceTimersByTimeAsync(1000);
      expect(session.cine.isPlaying.value).toBe(false);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('linked cells', () => {
  it('keep the distance that they had when they were tied last', async () => {
    const { session } = setUp(true, ['a', 'b']);
    session.setLayout({ rows: 1, columns: 2, mode: 'stack' });
    const [left, right] = session.cells.value;
    await left.goto({ series: 0, frame: 1 });
    await right.goto({ series: 1, frame: 1 });
    session.linked.isOn.value = true;
    session.scrollTo(left, 2);
    expect(right.wanted?.frame).toBe(2);
    session.linked.isOn.value = false;
    session.scrollTo(right, 5);
    session.linked.isOn.value = true;
    session.scrollTo(left, 3);
    expect(right.wanted?.frame).toBe(6);
  });
});

describe('a place', () => {
  it('is one of its own series where there is no frame of reference', () => {
    const { session } = setUp(true);
    void session.goto({ series: 0, frame: 0 });
    session.goToPoint(session.active.value, [1, 2, 3]);
    expect(session.point.value?.space).toBe('1.0');
  });
});

describe('calls from outside', () => {
  it.each([
    ['setView', [{ zoom: Number.NaN }]],
    ['setView', [{ centre: null }]],
    ['setView', [{ rotation: '90' }]],
    ['setLayout', [Number.NaN, 2]],
    ['setLayout', ['2', 2]],
    ['setLayout', [2, 2, 'wall']],
    ['activate', ['length']],
    ['goto', ['0', '1']],
    ['goto', [0, COUNT]],
    ['openSeries', ['length']],
    ['openSeries', [7]],
    ['openSeries', [0, 'length']],
    ['compare', ['1/../../x']],
    ['openMpr', [99]],
    ['constructor', []],
  ])('%s%j is refused, and changes nothing', async (call, args) => {
    const { session } = setUp(true);
    const control = createControl(session);
    await session.goto({ series: 0, frame: 3 });
    const before = control.state();
    await expect(answer(control, { cloudfilm: 1, call, args }, () => undefined)).rejects.toThrow(RangeError);
    expect(control.state()).toEqual(before);
  });

  it('are kept within limits', async () => {
    const { session } = setUp(true);
    const control = createControl(session);
    control.setLayout(1e6, 1e6);
    expect(session.cells.value).toHaveLength(16);
    control.setView({ zoom: 1e9, centre: { x: -5, y: 2 }, rotation: -90 });
    expect(control.state().view).toMatchObject({ zoom: 40, centre: { x: 0, y: 1 }, rotation: 270 });
  });
});
