/** A cell as tools see it. */

import { planeOf } from '../dicom/frame_plane';
import type { Stage } from '../tools/tool';
import { placementOf, toImage, toScreen } from '../viewport/view';
import type { Cell } from './cell';
import type { FilmSession } from './film_session';

/** `null` while the cell shows nothing. */
export function stageOf(film: FilmSession, cell: Cell, ask: Stage['ask']): Stage | null {
  const { canvas } = cell;
  const picture = cell.picture.peek();
  if (!canvas || !picture) return null;
  const { series, frame, decoded } = picture;
  const place = () => placementOf(frame, cell.view.peek(), canvas.stage);
  const content = cell.content.peek();
  return {
    series,
    frame,
    decoded,
    plane: planeOf(frame),
    volume: content.kind === 'mpr' ? film.threeD.volumeOf(content.series) : null,
    annotations: film.annotations,
    get size() {
      return canvas.stage;
    },
    get index() {
      return cell.wanted?.frame ?? film.threeD.placeOf(cell).index;
    },
    get count() {
      return cell.wanted ? series.frames.length : film.threeD.placeOf(cell).count;
    },
    get view() {
      return cell.view.peek();
    },
    get voi() {
      return cell.voi.peek();
    },
    toImage: (point) => toImage(place(), point),
    toScreen: (point) => toScreen(place(), point),
    scrollTo: (index) => {
      if (cell.wanted) film.scrollTo(cell, index);
      else film.threeD.stepCut(cell, index - film.threeD.placeOf(cell).index);
    },
    setView: (view) => film.setView(cell, view),
    setVoi: (voi) => film.setVoi(cell, voi),
    magnify: (at) => canvas.setLens(at),
    goToPoint: (point) => film.goToPoint(cell, point),
    ask,
  };
}
