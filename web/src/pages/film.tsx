/**
 * Entry of the film page. The server has painted `#film` with the preview (`#preview`) and a skeleton
 * (`[data-skeleton]`); the manifest is in `#film-manifest`. `#film[data-state]` goes loading → ready, empty or error.
 * The preview stays until the first full-resolution frame has been drawn over it.
 */

import '../styles/film.css';
import '../styles/film_stage.css';
import { effect } from '@preact/signals';
import { type ComponentChild, render } from 'preact';
import type { FrameRef, Manifest } from '../dicom/manifest';
import { firstFrame, readManifest } from '../dicom/read_manifest';
import { createControl } from '../embed/control';
import { DecodePool } from '../frames/pool';
import { FrameProvider } from '../frames/provider';
import { FilmSession } from '../session/film_session';
import { bindKeys } from '../tools/input';
import { FilmApp, FilmMessage } from '../ui/app';
import { WORDS } from '../ui/words';
import { clamp } from '../viewport/view';

const film = byId('film');

function start(): void {
  let manifest: Manifest;
  try {
    manifest = readManifest(byId('film-manifest').textContent ?? '');
  } catch (error) {
    console.error(error);
    film.dataset.state = 'error';
    mount(<FilmMessage manifest={null} text={WORDS.unreadableFilm} />);
    return;
  }
  film.dataset.series = String(manifest.series.length);
  const first = firstFrame(manifest);
  if (first) open(manifest, first);
  else {
    film.dataset.state = 'empty';
    mount(<FilmMessage manifest={manifest} text={WORDS.empty} />);
  }
}

function open(manifest: Manifest, first: FrameRef): void {
  const pool = new DecodePool(
    () => new Worker(new URL('../frames/decode_worker.ts', import.meta.url), { type: 'module' }),
    clamp(Math.floor(navigator.hardwareConcurrency / 2) || 1, 1, 3),
  );
  const frames = new FrameProvider(manifest, pool, (ref) => session.onArrival(ref));
  const session = new FilmSession(manifest, frames, () => {
    byId('preview').hidden = true;
    performance.mark('film:first-frame');
    document.documentElement.dataset.firstFrame = String(Math.round(performance.now()));
  });
  session.wanted.value = first;
  frames.getWhileWanted(first).catch(() => undefined); // on its way while the page is built; the session asks for it again
  mount(<FilmApp session={session} />);
  bindKeys({
    step: (by) => session.step(by),
    toEnd: (end) => session.scrollTo(end === 'first' ? 0 : session.series.frames.length - 1),
    stepSeries: (by) => session.openSeries(session.wanted.value.series + by),
    zoomBy: (factor) => session.zoomBy(factor),
    reset: () => session.reset(),
  });
  effect(() => {
    if (session.fault.value) film.dataset.state = 'error';
    else if (session.shown.value) film.dataset.state = 'ready';
    else film.dataset.state = 'loading';
  });
  window.cloudfilm = createControl(session, frames);
}

function mount(app: ComponentChild): void {
  for (const skeleton of film.querySelectorAll('[data-skeleton]')) skeleton.remove();
  const root = document.createElement('div');
  root.id = 'film-ui';
  film.append(root);
  render(app, root);
}

function byId(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found;
}

start();
