/** The viewer's page: header, cells, series, tools. */

import type { Manifest } from '../dicom/manifest';
import type { FilmSession } from '../session/film_session';
import { CellView } from './cell_view';
import { Header } from './header';
import { PromptBox } from './prompt';
import { SeriesStrip } from './series_strip';
import { Toolbar } from './toolbar';
import { WORDS } from './words';

export function FilmApp({ session }: { session: FilmSession }) {
  return (
    <>
      <Header manifest={session.manifest} />
      <StageGrid session={session} />
      <SeriesStrip session={session} />
      <Toolbar session={session} />
      <PromptBox />
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

function StageGrid({ session }: { session: FilmSession }) {
  const { rows, columns } = session.layout.value;
  const cells = session.cells.value;
  return (
    <div class="stage" data-rows={rows} data-columns={columns} data-single={cells.length === 1}>
      {cells.map((cell, index) => (
        <CellView key={cellKey(cell)} session={session} cell={cell} index={index} />
      ))}
      {session.manifest.watermark && <div class="watermark">{session.manifest.watermark}</div>}
    </div>
  );
}

const keys = new WeakMap<object, number>();
let lastKey = 0;

/** A cell keeps its canvas when the layout changes around it. */
function cellKey(cell: object): number {
  const known = keys.get(cell) ?? ++lastKey;
  keys.set(cell, known);
  return known;
}
