/**
 * Entry of the film page. The server has painted `#film` with the preview (`#preview`) and a skeleton
 * (`[data-skeleton]`); the manifest is in `#film-manifest`. `#film[data-state]` goes loading → ready, empty or error.
 * The preview stays until the first full-resolution frame has been drawn over it.
 */

import '../styles/film.css';
import '../styles/film_stage.css';
import '../styles/film_panels.css';
import { effect } from '@preact/signals';
import { type ComponentChild, render } from 'preact';
import type { FrameRef, Manifest } from '../dicom/manifest';
import { firstFrame, readManifest } from '../dicom/read_manifest';
import { openBridge } from '../embed/bridge';
import { createControl } from '../embed/control';
import { DecodePool, workersFor } from '../frames/pool';
import { FrameProvider } from '../frames/provider';
import { isSameFrame } from '../session/content';
import { FilmSession } from '../session/film_session';
import { bindKeys } from '../tools/input';
import { MEASURE_TOOLS } from '../tools/measure';
import { handleMeasureKey } from '../tools/measure/keys';
import { registerTools } from '../tools/registry';
import { FilmApp, FilmMessage } from '../ui/app';
import { loadPanels } from '../ui/toolbar';
import { WORDS } from '../ui/words';

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
  const csrf = film.dataset.csrf ?? '';
  const pool = new DecodePool(
    () => new Worker(new URL('../frames/decode_worker.ts', import.meta.url), { type: 'module' }),
    workersFor(navigator.hardwareConcurrency),
  );
  const frames = new FrameProvider(manifest, pool, (ref) => session.onArrival(ref));
  frames.onCoarse = (series, indexes) => session.onCoarse(series, indexes);
  const session = new FilmSession(manifest, frames, () => {
    byId('preview').hidden = true;
    performance.mark('film:first-frame');
    document.documentElement.dataset.firstFrame = String(Math.round(performance.now()));
    bringTheRest();
  });
  let isRestComing = false;
  /** What nobody needs for the first picture is not waited for with it. */
  const bringTheRest = (): void => {
    if (isRestComing) return;
    isRestComing = true;
    void loadPanels();
    void import('../ui/annotation_entry').then(({ offerAnnotations }) => offerAnnotations(session, csrf));
    if (manifest.may.live) void import('../ui/live_entry').then(({ offerLive }) => offerLive(session, csrf));
  };
  void session.goto(first); // on its way while the page is built
  registerTools(MEASURE_TOOLS);
  mount(<FilmApp session={session} />);
  bindFilmKeys(session);
  effect(() => {
    const cell = session.active.value;
    const isThere = cell.picture.value || cell.content.value.kind === 'volume';
    film.dataset.state = cell.fault.value ? 'error' : isThere ? 'ready' : 'loading';
    if (cell.fault.value) bringTheRest();
    // the preview is one of the first frame: it must not be taken for another
    if (!isSameFrame(cell.wanted, first) || session.cells.value.length > 1) byId('preview').hidden = true;
  });
  const control = createControl(session);
  window.cloudfilm = control;
  openBridge(session, control, film.dataset.embedOrigins ?? '');
}

function bindFilmKeys(session: FilmSession): void {
  const active = () => session.active.peek();
  bindKeys(
    {
      step: (by) => session.step(by),
      toEnd: (end) => session.scrollTo(active(), end === 'first' ? 0 : Number.MAX_SAFE_INTEGER),
      stepSeries: (by) => {
        const content = active().content.peek();
        if (content.kind !== 'empty') session.openSeries(content.series + by);
      },
      zoomBy: (factor) => active().zoomBy(factor),
      reset: () => session.reset(),
      invert: () => session.setInverted(active(), !active().isInverted.peek()),
      playOrStop: () => (session.cine.isPlaying.peek() ? session.cine.stop() : session.cine.start()),
    },
    (press) => handleMeasureKey(press, session.annotations),
  );
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
