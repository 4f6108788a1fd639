/** The cell of a rendered volume; its code comes with the first volume. */

import type { FilmSession } from '../session/film_session';

export function VolumeCell({ session, series }: { session: FilmSession; series: number }) {
  return <div class="volume" data-series={series} data-version={session.threeD.version.value} />;
}
