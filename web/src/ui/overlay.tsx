/** What is written on the picture: which series, which slice, through which window, what is on its way. */

import type { Cell } from '../session/cell';
import type { FilmSession } from '../session/film_session';
import { WORDS } from './words';

export function Overlay({ session, cell }: { session: FilmSession; cell: Cell }) {
  const content = cell.content.value;
  const { series } = cell;
  if (content.kind === 'empty' || !series || !session.showsText.value) return null;
  const isActive = session.active.value === cell;
  return (
    <div class="overlay">
      <p class="top left">
        {WORDS.series} {content.series + 1}/{session.seriesCount.value}
        <br />
        <span class="name">{series.description}</span>
        {series.exam_id !== session.manifest.exam_id && <span class="prior">{WORDS.prior}</span>}
      </p>
      <p class="top right">
        {isActive && <Progress session={session} cell={cell} />}
        <Quality cell={cell} />
      </p>
      <p class="bottom left" data-window>
        <WindowText cell={cell} />
        <br />
        {content.kind !== 'volume' && `${Math.round(cell.view.value.zoom * 100)}%`}
      </p>
      <p class="bottom right" data-slice>
        <Place session={session} cell={cell} />
      </p>
    </div>
  );
}

function Progress({ session, cell }: { session: FilmSession; cell: Cell }) {
  const volume = session.threeD.progress.value;
  if (cell.content.value.kind !== 'stack') {
    if (!volume || volume.full >= volume.total) return null;
    const { full, total, failed } = volume;
    return (
      <span class={failed ? 'pending' : undefined}>
        {`三维 ${full}/${total}`}
        {failed > 0 && `，${failed} 层没有取到，该处影像不清晰`}
      </span>
    );
  }
  const awaited = cell.series?.frames.length ?? 0;
  return (
    <>
      {session.loaded.value < awaited && `已载入 ${session.loaded.value}/${awaited}`}
      {cell.isWaiting.value && cell.shown.value && cell.wanted && (
        <>
          <br />
          <span class="pending">正在取第 {cell.wanted.frame + 1} 幅</span>
        </>
      )}
    </>
  );
}

/** A picture that is not the exact one says so; one that came inexact to the archive too. */
function Quality({ cell }: { cell: Cell }) {
  const picture = cell.picture.value;
  const resolution = picture?.decoded.resolution;
  return (
    <>
      {(resolution === 'lossy' || resolution === 'coarse') && (
        <span class="pending">
          <br />
          {resolution === 'lossy' ? WORDS.lossy : WORDS.coarse}
        </span>
      )}
      {picture?.frame.received_lossy && (
        <span>
          <br />
          {WORDS.receivedLossy}
        </span>
      )}
    </>
  );
}

function WindowText({ cell }: { cell: Cell }) {
  const voi = cell.voi.value;
  if (voi) return <span>{`W ${tidy(voi.width)}  L ${tidy(voi.center)}`}</span>;
  return <span>{cell.picture.value && WORDS.colour}</span>;
}

function Place({ session, cell }: { session: FilmSession; cell: Cell }) {
  const content = cell.content.value;
  if (content.kind === 'mpr') {
    session.threeD.version.value; // the volume may have come since
    const { index, count } = session.threeD.placeOf(cell);
    const { slab_mm, blend } = content.cut;
    return (
      <span>
        {slab_mm > 0 && `${WORDS.blends[blend]} ${tidy(slab_mm)} mm`}
        {slab_mm > 0 && <br />}
        {`${index + 1}/${count}`}
      </span>
    );
  }
  const frames = cell.series?.frames.length ?? 0;
  const frame = cell.shown.value?.frame ?? cell.wanted?.frame ?? 0;
  return content.kind === 'stack' ? <span>{`${frame + 1}/${frames}`}</span> : null;
}

/** Window values without noise: whole HU in CT, three digits where values are small (SUV). */
function tidy(value: number): string {
  return Math.abs(value) >= 10 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
}
