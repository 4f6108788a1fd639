/** The viewer's page: header, stage, series, tools. */

import { useEffect, useRef } from 'preact/hooks';
import type { Manifest } from '../dicom/manifest';
import type { FilmSession } from '../session/film_session';
import { bindPointers } from '../tools/input';
import { Viewport } from '../viewport/stack_viewport';
import { Header } from './header';
import { Notice } from './notice';
import { Overlay } from './overlay';
import { SeriesStrip } from './series_strip';
import { Toolbar } from './toolbar';
import { WORDS } from './words';

export function FilmApp({ session }: { session: FilmSession }) {
  return (
    <>
      <Header manifest={session.manifest} />
      <StageBox session={session} />
      <SeriesStrip session={session} />
      <Toolbar session={session} />
    </>
  );
}

/** A film without pictures, or one that cannot be read. */
export function FilmMessage({ manifest, text }: { manifest: Manifest | null; text: string }) {
  return (
    <>
      {manifest && <Header manifest={manifest} />}
      <div class="stage">
        <div class="notice" role="alert">
          <p>{text}</p>
          {!manifest && (
            <button type="button" onClick={() => location.reload()}>
              {WORDS.retry}
            </button>
          )}
        </div>
      </div>
    </>
  );
}

function StageBox({ session }: { session: FilmSession }) {
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    if (!box.current || !canvas.current) return;
    const viewport = new Viewport(canvas.current);
    session.attach(viewport);
    bindPointers(
      canvas.current,
      () => session.stage(),
      () => session.tool.value,
    );
    const observer = new ResizeObserver(() => viewport.redraw());
    observer.observe(box.current);
    void session.goto(session.wanted.value);
    return () => observer.disconnect();
  }, [session]);
  return (
    <div class="stage" ref={box} data-dimmed={session.fault.value !== null}>
      <canvas ref={canvas} />
      <Overlay session={session} />
      <Notice session={session} />
    </div>
  );
}
