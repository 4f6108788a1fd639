import { describe, expect, it, vi } from 'vitest';
import type { FrameProvider } from '../src/frames/provider';
import { FilmSession } from '../src/session/film_session';
import { decoded, frameInfo, manifestOf, seriesOf } from './samples';

describe('a presentation state', () => {
  it('is how its frames are shown first, no other frame, and not when the reader does not want it', async () => {
    vi.stubGlobal('requestAnimationFrame', () => 0);
    const series = seriesOf([1, 2].map((n) => frameInfo({ instance: `1.${n}`, center: [40], width: [400] })));
    const state = {
      uid: '9',
      label: '',
      targets: [{ instance: '1.1', frames: null }],
      voi: { center: 7, width: 70 },
      rotation: 90,
      flip: true,
      inverse: true,
      graphics: [],
    };
    const frames = {
      quality: 'lossless',
      peek: () => decoded(new Int16Array(16)),
      has: () => true,
      coarse: () => undefined,
      prefetchAround: () => undefined,
    } as unknown as FrameProvider;
    const film = new FilmSession({ ...manifestOf(series), presentations: [state] }, frames, () => undefined);
    const cell = film.active.value;
    await film.goto({ series: 0, frame: 0 });
    expect(cell.voi.value).toEqual({ center: 7, width: 70 });
    expect(cell.view.value).toMatchObject({ rotation: 270, flipped: true });
    film.setVoi(cell, { center: 1, width: 2 });
    expect(cell.voi.value).toEqual({ center: 1, width: 2 });
    film.reset();
    expect(cell.voi.value).toEqual({ center: 7, width: 70 });
    await film.goto({ series: 0, frame: 1 });
    expect(cell.voi.value).toEqual({ center: 40, width: 400 });
    await film.goto({ series: 0, frame: 0 });
    film.setPresentations(false);
    expect(cell.voi.value).toEqual({ center: 40, width: 400 });
    expect(cell.view.value).toMatchObject({ rotation: 0, flipped: false });
  });
});
