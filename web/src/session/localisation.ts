/** One place in all cells: stacks go to their nearest slice, cuts through it (E19, E20). */

import { frameNear, sharesSpace } from '../dicom/space';
import type { PatientPoint } from '../math/coordinates';
import type { Cell } from './cell';
import type { FilmSession } from './film_session';

export function bringToPoint(film: FilmSession, from: Cell, at: PatientPoint): void {
  const source = from.series;
  if (!source) return;
  for (const cell of film.cells.peek()) {
    const { series } = cell;
    if (cell === from || !series || !(series === source || sharesSpace(series, source))) continue;
    const content = cell.content.peek();
    if (content.kind === 'stack') {
      const frame = frameNear(series, at);
      if (frame !== null && frame !== content.frame) void cell.goto({ series: content.series, frame });
    } else if (content.kind === 'mpr') {
      cell.showCut(content.series, { ...content.cut, centre: at });
    }
  }
}
