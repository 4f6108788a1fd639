/** What lies over a rendered volume: solids with what was measured of them, the marked place, letters of the patient's sides. */

import type { SolidAnnotation } from '../../dicom/annotation';
import { lettersOf, oppositeOf } from '../../dicom/orientation';
import type { PatientPoint } from '../../math/coordinates';
import { axesOf } from '../../render/volume/camera';
import { COLOURS } from '../../viewport/annotations/draw';
import { labelLines } from '../../viewport/annotations/labels';
import { context, fitCanvas } from '../../viewport/image_viewport';
import { drawLine, drawMark, drawText } from '../../viewport/overlay';
import type { VolumeViewport } from '../../viewport/volume_viewport';
import { cornersOf, EDGES } from '../../volume/solids';
import { rimOf } from './solid_in_volume';
import { solidOf } from './solids_of';

const MARGIN = 12;
const BOTTOM = 62; // above the panel
const LINE_HEIGHT = 17;
const LABEL_WIDTH = 170;
const MARK_COLOUR = '#ff5252';

export interface OverVolume {
  readonly solids: readonly SolidAnnotation[];
  readonly selected: string | null;
  readonly point: PatientPoint | null;
}

export function drawOverVolume(
  canvas: HTMLCanvasElement,
  viewport: VolumeViewport,
  { solids, selected, point }: OverVolume,
): void {
  const { stage } = viewport;
  const ratio = window.devicePixelRatio || 1;
  fitCanvas(canvas, stage, ratio);
  const surface = context(canvas);
  surface.setTransform(ratio, 0, 0, ratio, 0, 0);
  surface.clearRect(0, 0, stage.width, stage.height);
  drawLetters(surface, viewport);
  for (const annotation of solids) {
    drawSolid(surface, viewport, annotation, annotation.uid === selected ? COLOURS.selected : COLOURS.own);
  }
  if (point) drawMark(surface, viewport.project(point), MARK_COLOUR);
}

function drawLetters(surface: CanvasRenderingContext2D, { camera, stage }: VolumeViewport): void {
  const { right, down } = axesOf(camera);
  const [across, along] = [lettersOf(right), lettersOf(down)];
  const [middleX, middleY] = [stage.width / 2, stage.height / 2];
  drawText(surface, across, { x: stage.width - MARGIN, y: middleY }, 'right');
  drawText(surface, oppositeOf(across), { x: MARGIN, y: middleY }, 'left');
  drawText(surface, along, { x: middleX, y: stage.height - BOTTOM }, 'center');
  drawText(surface, oppositeOf(along), { x: middleX, y: MARGIN }, 'center');
}

function drawSolid(
  surface: CanvasRenderingContext2D,
  viewport: VolumeViewport,
  annotation: SolidAnnotation,
  colour: string,
): void {
  const solid = solidOf(annotation);
  const { centre, radius } = rimOf(viewport, solid);
  if (solid.kind === 'cuboid') {
    const corners = cornersOf(solid).map((corner) => viewport.project(corner));
    for (const [a, b] of EDGES) drawLine(surface, [corners[a], corners[b]], colour, false);
  } else {
    surface.strokeStyle = colour;
    surface.lineWidth = 1.5;
    surface.beginPath();
    surface.arc(centre.x, centre.y, radius, 0, 2 * Math.PI);
    surface.stroke();
  }
  surface.fillStyle = colour;
  surface.beginPath();
  surface.arc(centre.x, centre.y, 3, 0, 2 * Math.PI);
  surface.fill();
  const beside = centre.x + radius + 8;
  const isRoom = beside + LABEL_WIDTH < viewport.stage.width;
  labelLines(annotation, null).forEach((line, i) => {
    const y = (isRoom ? centre.y : centre.y + radius + LINE_HEIGHT) + i * LINE_HEIGHT;
    drawText(surface, line, { x: isRoom ? beside : 8, y }, 'left', colour);
  });
}
