/** Draws the sections of a series' solids on a picture that has a plane, and what was measured of them. */

import type { SolidAnnotation } from '../../dicom/annotation';
import type { ImagePoint, PatientPoint, ScreenPoint, Size } from '../../math/coordinates';
import { type Plane, toImage } from '../../math/plane';
import { COLOURS } from '../../viewport/annotations/draw';
import { measuredLines } from '../../viewport/annotations/labels';
import { drawLine, drawText } from '../../viewport/overlay';
import { type Placement, toScreen } from '../../viewport/view';
import { sectionOf } from './section';
import { solidOf } from './solids_of';

const HANDLE = 3;
const LINE_HEIGHT = 17;
const LABEL_WIDTH = 170;

export function drawSolids(
  context: CanvasRenderingContext2D,
  solids: readonly SolidAnnotation[],
  plane: Plane,
  placement: Placement,
  selected: string | null,
  size: Size,
): void {
  const project = (point: PatientPoint): ScreenPoint =>
    toScreen(placement, toImage(plane, point) as ImagePoint);
  for (const annotation of solids) {
    const section = sectionOf(solidOf(annotation), plane);
    if (!section) continue;
    const colour = annotation.uid === selected ? COLOURS.selected : COLOURS.own;
    const outline = section.outline.map(project);
    outline.forEach((from, i) => {
      drawLine(context, [from, outline[(i + 1) % outline.length]], colour, false);
    });
    context.fillStyle = colour;
    for (const { at } of section.handles) {
      const { x, y } = project(at);
      context.beginPath();
      context.arc(x, y, HANDLE, 0, 2 * Math.PI);
      context.fill();
    }
    drawLabel(context, measuredLines(annotation), outline, colour, size);
  }
}

/** Beside the outline; under it where there is no room. */
function drawLabel(
  context: CanvasRenderingContext2D,
  lines: readonly string[],
  outline: readonly ScreenPoint[],
  colour: string,
  size: Size,
): void {
  const right = Math.max(...outline.map(({ x }) => x));
  const top = Math.min(...outline.map(({ y }) => y));
  const bottom = Math.max(...outline.map(({ y }) => y));
  const isRoomRight = right + LABEL_WIDTH < size.width;
  const x = isRoomRight ? right + 8 : 8;
  const wanted = isRoomRight ? Math.max(top, 40) : bottom + LINE_HEIGHT;
  const y = Math.min(wanted, size.height - lines.length * LINE_HEIGHT - 40);
  lines.forEach((line, i) => {
    drawText(context, line, { x, y: y + i * LINE_HEIGHT }, 'left', colour);
  });
}
