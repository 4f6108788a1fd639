/** The series of the film as thumbnails: a row on a phone, a column on a wide screen (E12). Drag one into a cell. */

import type { SeriesInfo } from '../dicom/manifest';
import type { FilmSession } from '../session/film_session';
import { WORDS } from './words';

/** The type of what is dragged: an index of the film's series. */
export const SERIES_DRAG = 'application/x-cloudfilm-series';

export function SeriesStrip({ session }: { session: FilmSession }) {
  const count = session.seriesCount.value;
  const content = session.active.value.content.value;
  const current = content.kind === 'empty' ? -1 : content.series;
  return (
    <nav class="strip" aria-label={WORDS.seriesList}>
      {session.series.slice(0, count).map((series, index) => (
        <Thumbnail
          key={`${series.exam_id}/${series.uid}`}
          series={series}
          index={index}
          isPrior={series.exam_id !== session.manifest.exam_id}
          isCurrent={current === index}
          onChoose={() => session.openSeries(index)}
        />
      ))}
    </nav>
  );
}

interface ThumbnailProps {
  series: SeriesInfo;
  index: number;
  isPrior: boolean;
  isCurrent: boolean;
  onChoose: () => void;
}

function Thumbnail({ series, index, isPrior, isCurrent, onChoose }: ThumbnailProps) {
  const name = series.description || `${WORDS.series} ${series.number ?? ''}`;
  return (
    <button
      type="button"
      class="thumbnail"
      data-series={series.uid}
      data-prior={isPrior}
      aria-current={isCurrent}
      aria-label={name}
      title={series.notice ? `${name}（${series.notice}）` : name}
      disabled={series.frames.length === 0}
      draggable
      onDragStart={(event) => event.dataTransfer?.setData(SERIES_DRAG, String(index))}
      onClick={onChoose}
    >
      {series.thumbnail ? (
        <img src={series.thumbnail} alt="" draggable={false} />
      ) : (
        <span class="blank">{series.modality}</span>
      )}
      <span class="count">{series.frames.length}</span>
      <span class="name">{isPrior ? `${WORDS.prior} ${name}` : name}</span>
    </button>
  );
}
