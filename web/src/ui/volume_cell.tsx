/** The cell of a rendered volume. What shows it comes with the first volume. */

import { useEffect, useState } from 'preact/hooks';
import type { Cell } from '../session/cell';
import type { FilmSession } from '../session/film_session';

type View = typeof import('./volume_view')['VolumeView'];

interface VolumeCellProps {
  readonly session: FilmSession;
  readonly cell: Cell;
  readonly series: number;
}

export function VolumeCell({ session, cell, series }: VolumeCellProps) {
  const [loaded, setLoaded] = useState<{ readonly View: View } | null>(null);
  session.threeD.version.value; // the volume may have come since
  const volume = session.threeD.volumeOf(series);
  useEffect(() => {
    let isGone = false;
    import('./volume_view').then(
      ({ VolumeView }) => !isGone && setLoaded({ View: VolumeView }),
      () => session.threeD.blame(cell),
    );
    return () => {
      isGone = true;
    };
  }, [session, cell]);
  return volume && loaded ? <loaded.View session={session} cell={cell} volume={volume} /> : null;
}
