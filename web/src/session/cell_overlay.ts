/** Draws what lies over the picture of one cell: letters, scale, lines of the other cells, the marked place, annotations. */

import { planeOf } from '../dicom/frame_plane';
import { cutLine, halfStep, sharesSpace, spaceOf } from '../dicom/space';
import type { PatientPoint } from '../math/coordinates';
import { distanceTo, type Plane, toImage } from '../math/plane';
import { drawAnnotations } from '../viewport/annotations/draw';
import { drawGraphics, isPresentationOf } from '../viewport/annotations/presentation';
import { context, fitCanvas, type Picture } from '../viewport/image_viewport';
import { drawEdgeLetters, drawLine, drawMark, drawScaleBar, drawText } from '../viewport/overlay';
import { type Placement, toScreen } from '../viewport/view';
import type { Cell } from './cell';
import type { FilmSession } from './film_session';

const LINE_COLOURS = ['#ffb74d', '#4fc3f7', '#aed581', '#f06292'];
const MARK_COLOUR = '#ff5252';
const POINTER_COLOUR = '#40c4ff';

export function drawOverlay(film: FilmSession, cell: Cell, canvas: HTMLCanvasElement): void {
  const { canvas: viewport } = cell;
  if (!viewport) return;
  const size = viewport.stage;
  const ratio = window.devicePixelRatio || 1;
  fitCanvas(canvas, size, ratio);
  const surface = context(canvas);
  surface.setTransform(ratio, 0, 0, ratio, 0, 0);
  surface.clearRect(0, 0, size.width, size.height);
  const picture = cell.picture.peek();
  const placement = viewport.placement;
  if (!picture || !placement) return;
  const { frame } = picture;
  if (film.showsText.peek()) {
    drawEdgeLetters(surface, frame, placement, size);
    drawScaleBar(surface, frame, placement, size);
  }
  const plane = planeOf(frame);
  if (plane) drawSpace(film, cell, { surface, picture, placement, plane });
  const shown = { pixelRatio: ratio, size, frame };
  for (const state of film.manifest.presentations) {
    if (film.showsPresentations.peek() && isPresentationOf(state, frame)) {
      drawGraphics(surface, placement, state.graphics, shown);
    }
  }
  const { annotations } = film;
  const drawn = annotations.onFrame(frame.instance, frame.frame);
  drawAnnotations(surface, placement, drawn, annotations.selected.peek(), shown);
  if (plane && cell.series) {
    const solids = annotations.solidsOf(cell.series.uid);
    film.threeD.drawSolids?.(surface, solids, plane, placement, annotations.selected.peek(), size);
  }
  drawPointer(film, cell, surface, placement);
}

function drawPointer(
  film: FilmSession,
  cell: Cell,
  surface: CanvasRenderingContext2D,
  placement: Placement,
): void {
  const pointer = film.pointer.peek();
  if (!pointer || film.cells.peek()[pointer.cell] !== cell) return;
  const at = toScreen(placement, pointer.at);
  drawMark(surface, at, POINTER_COLOUR);
  drawText(surface, pointer.name, { x: at.x + 12, y: at.y - 14 }, 'left', POINTER_COLOUR);
}

interface Ground {
  readonly surface: CanvasRenderingContext2D;
  readonly picture: Picture;
  readonly placement: Placement;
  readonly plane: Plane;
}

function drawSpace(film: FilmSession, cell: Cell, ground: Ground): void {
  if (film.showsLines.peek()) drawReferenceLines(film, cell, ground);
  const point = film.point.peek();
  const series = cell.series;
  if (!point || !series || point.space !== spaceOf(series)) return;
  const distance = Math.abs(distanceTo(ground.plane, point.at));
  const reach = cell.wanted ? halfStep(series, cell.wanted.frame) : 1;
  if (distance <= reach + 0.01) drawMark(ground.surface, screenOf(ground, point.at), MARK_COLOUR);
}

/** In every cell the lines of the others; the one of the active cell is drawn through. */
function drawReferenceLines(film: FilmSession, cell: Cell, ground: Ground): void {
  film.cells.peek().forEach((other, i) => {
    const theirs = other === cell ? null : other.picture.peek();
    const plane = theirs && planeOf(theirs.frame);
    if (!theirs || !plane || !sharesSpaceOrSelf(theirs, ground.picture)) return;
    const line = cutLine(ground.plane, plane, theirs.frame);
    if (!line) return;
    const ends = [screenOf(ground, line[0]), screenOf(ground, line[1])] as const;
    drawLine(ground.surface, ends, LINE_COLOURS[i % LINE_COLOURS.length], other !== film.active.peek());
  });
}

function sharesSpaceOrSelf(a: Picture, b: Picture): boolean {
  return a.series === b.series || sharesSpace(a.series, b.series);
}

function screenOf({ placement, plane }: Ground, point: PatientPoint) {
  return toScreen(placement, toImage(plane, point));
}
