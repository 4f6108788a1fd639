/** What stands on the picture: which series, which slice, through which window, what is on its way. */

import type { FilmSession } from '../session/film_session';
import { WORDS } from './words';

export function Overlay({ session }: { session: FilmSession }) {
  const { manifest } = session;
  const ref = session.shown.value ?? session.wanted.value;
  const series = manifest.series[ref.series];
  const voi = session.voi.value;
  const awaited = session.series.frames.length;
  return (
    <div class="overlay">
      <p class="top left">
        {WORDS.series} {ref.series + 1}/{manifest.series.length}
        <br />
        {series.description}
      </p>
      <p class="top right">
        {session.loaded.value < awaited && `已载入 ${session.loaded.value}/${awaited}`}
        {session.isWaiting.value && session.shown.value && (
          <>
            <br />
            <span class="pending">正在取第 {session.wanted.value.frame + 1} 幅</span>
          </>
        )}
      </p>
      <p class="bottom left" data-window>
        {voi ? `W ${tidy(voi.width)}  L ${tidy(voi.center)}` : session.shown.value && WORDS.colour}
        <br />
        {Math.round(session.view.value.zoom * 100)}%
      </p>
      <p class="bottom right" data-slice>
        {ref.frame + 1}/{series.frames.length}
      </p>
    </div>
  );
}

/** Window values without noise: whole HU in CT, three digits where values are small (SUV). */
function tidy(value: number): string {
  return Math.abs(value) >= 10 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
}
