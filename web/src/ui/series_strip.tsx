/** The series of the film as thumbnails: a row on a phone, a column on a wide screen (E12). */

import type { SeriesInfo } from '../dicom/manifest';
import type { FilmSession } from '../session/film_session';
import { WORDS } from './words';

export function SeriesStrip({ session }: { session: FilmSession }) {
  return (
    <nav class="strip" aria-label={WORDS.seriesList}>
      {session.manifest.series.map((series, index) => (
        <Thumbnail
          key={series.uid}
          series={series}
          isCurrent={session.wanted.value.series === index}
          onChoose={() => session.openSeries(index)}
        />
      ))}
    </nav>
  );
}

interface ThumbnailProps {
  series: SeriesInfo;
  isCurrent: boolean;
  onChoose: () => void;
}

function Thumbnail({ series, isCurrent, onChoose }: ThumbnailProps) {
  const name = series.description || `${WORDS.series} ${series.number ?? ''}`;
  return (
    <button
      type="button"
      class="thumbnail"
      data-series={series.uid}
      aria-current={isCurrent}
      aria-label={name}
      title={name}
      disabled={series.frames.length === 0}
      onClick={onChoose}
    >
      {series.thumbnail ? (
        <img src={series.thumbnail} alt="" />
      ) : (
        <span class="blank">{series.modality}</span>
      )}
      <span class="count">{series.frames.length}</span>
      <span class="name">{name}</span>
    </button>
  );
}
