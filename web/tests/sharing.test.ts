import { describe, expect, it, vi } from 'vitest';
import type { FrameProvider } from '../src/frames/provider';
import { FilmSharing } from '../src/live/film_sharing';
import type { StateMessage } from '../src/live/shared_film';
import { FilmSession } from '../src/session/film_session';
import { decoded, frameInfo, manifestOf, seriesOf } from './samples';

/** A film whose frames are all there, and no page around it. */
function film(): FilmSession {
  const series = ['1.1', '1.2'].map((uid) => ({
    ...seriesOf([1, 2, 3, 4, 5].map((n) => frameInfo({ instance: `${uid}.${n}`, number: n }))),
    uid,
  }));
  const frames = {
    quality: 'lossless',
    fetchedBytes: 0,
    peek: () => decoded(new Int16Array(16)),
    peekAny: () => undefined,
    has: () => true,
    coarse: () => undefined,
    getWhileWanted: async () => decoded(new Int16Array(16)),
    prefetchAround: () => undefined,
  } as unknown as FrameProvider;
  vi.stubGlobal('requestAnimationFrame', () => 0);
  return new FilmSession(manifestOf(...series), frames, () => undefined);
}

function copyTo(from: FilmSharing, to: FilmSharing): void {
  for (const state of JSON.parse(JSON.stringify(from.snapshot())) as StateMessage[]) to.apply(state);
}

describe('a film that is shared', () => {
  it('is the same on the other side after layout, pages, windows, turns and places', async () => {
    const [ours, theirs] = [film(), film()];
    const [here, there] = [new FilmSharing(ours), new FilmSharing(theirs)];
    await ours.goto({ series: 0, frame: 2 });
    ours.setLayout({ rows: 2, columns: 2, mode: 'stack' });
    await ours.cells.value[1].goto({ series: 1, frame: 4 });
    ours.setVoi(ours.cells.value[0], { center: -600, width: 1500 });
    ours.setView(ours.cells.value[1], { zoom: 3, centre: { x: 0.2, y: 0.7 }, rotation: 90, flipped: true });
    ours.cells.value[1].setInverted(true);
    ours.point.value = { at: [1, 2, 3], space: '9' };
    copyTo(here, there);
    expect(there.snapshot()).toEqual(here.snapshot());
    expect(theirs.cells.value[1].wanted).toMatchObject({ series: 1, frame: 4 });
  });

  it('says each change once, and nothing that came from elsewhere twice', async () => {
    const session = film();
    const sharing = new FilmSharing(session);
    await session.goto({ series: 0, frame: 0 });
    const heard: StateMessage[] = [];
    const stop = sharing.onLocalChange((message) => heard.push(message));
    heard.length = 0;
    await session.goto({ series: 0, frame: 3 });
    expect(heard.map(({ part }) => part)).toEqual(['view']);
    session.setVoi(session.active.value, { center: 1, width: 2 });
    expect(heard.map(({ part }) => part)).toEqual(['view', 'voi']);
    stop();
    await session.goto({ series: 0, frame: 1 });
    expect(heard.length).toBe(2);
  });

  it.each([
    { cell: null, part: 'layout', data: { rows: 'x', columns: 1, mode: 'stack' } },
    { cell: 9, part: 'voi', data: { voi: null, inverted: false } },
    { cell: 0, part: 'voi', data: { voi: { center: null, width: 1 }, inverted: false } },
    {
      cell: 0,
      part: 'view',
      data: { content: { kind: 'stack', series: '7', instance: 'a', frame: 1 }, view: {} },
    },
    { cell: 0, part: 'view', data: null },
    { cell: null, part: 'tool', data: { at: [1, 2], space: null } },
    {
      cell: 0,
      part: 'view',
      data: {
        content: {
          kind: 'mpr',
          series: '1.1',
          cut: { centre: [0, 0, 0], right: [2, 0, 0], down: [0, 1, 0], slab_mm: 0, blend: 'mean' },
        },
      },
    },
  ])('refuses what is no state: %o', (bad) => {
    const session = film();
    const before = new FilmSharing(session).snapshot();
    expect(() => new FilmSharing(session).apply(bad as unknown as StateMessage)).toThrow(RangeError);
    expect(new FilmSharing(session).snapshot()).toEqual(before);
  });
});
