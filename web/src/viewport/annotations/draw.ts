/** Draws figures on a canvas: bright lines on a dark halo, readable on bone and on air. */

import type { FlatAnnotation } from '../../dicom/annotation';
import type { FrameInfo } from '../../dicom/manifest';
import type { ScreenPoint, Size } from '../../math/coordinates';
import { type Placement, toScreen } from '../view';
import {
  type Box,
  type Figure,
  FONT_SIZE,
  figureOf,
  LABEL_PADDING,
  type LabelLayout,
  LINE_HEIGHT,
  labelLayout,
  type Project,
  type Stroke,
} from './geometry';

export interface Surface {
  /** Device pixels per CSS pixel. */
  readonly pixelRatio: number;
  /** Of the stage, CSS pixels. */
  readonly size: Size;
}

type Context = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;

export const COLOURS = { own: '#ffd54a', selected: '#5cf0a0', presentation: '#7fd6ff' } as const;
const HALO = 'rgba(0, 0, 0, 0.75)';
const BACKGROUND = 'rgba(0, 0, 0, 0.45)';
const LINE = 1.5;
const HALO_LINE = 3.5;
const HANDLE = 3; // radius: 6 px are seen, 44 px are felt (hit_test.ts)
const MARK = 6;
const ARROW_HEAD = 11;

/** Draws the annotations of one frame over what is there; `selected` with its handles. */
export function drawAnnotations(
  context: Context,
  placement: Placement,
  annotations: readonly FlatAnnotation[],
  selected: string | null,
  { frame, ...surface }: Surface & { readonly frame: FrameInfo },
): void {
  const project: Project = (point) => toScreen(placement, point);
  for (const annotation of annotations) {
    const isSelected = annotation.uid === selected;
    const figure = figureOf(annotation, frame);
    const colour = isSelected ? COLOURS.selected : COLOURS.own;
    drawFigure(context, project, isSelected ? figure : { ...figure, handles: [] }, colour, surface);
  }
}

/** Draws one figure with all the handles that it has. */
export function drawFigure(
  context: Context,
  project: Project,
  figure: Figure,
  colour: string,
  { pixelRatio, size }: Surface,
): void {
  context.save();
  context.setTransform(pixelRatio, 0, 0, pixelRatio, 0, 0);
  context.lineJoin = 'round';
  context.lineCap = 'round';
  const layout = labelLayout(figure, project, size);
  for (const pass of ['halo', 'line'] as const) {
    context.strokeStyle = pass === 'halo' ? HALO : colour;
    context.lineWidth = pass === 'halo' ? HALO_LINE : LINE;
    for (const stroke of figure.strokes) trace(context, project, stroke);
    for (const mark of figure.marks) traceMark(context, project(mark));
    if (figure.arrow) traceHead(context, project(figure.arrow.tip), project(figure.arrow.tail));
    if (layout && figure.label) traceLeader(context, layout.box, figure.anchors.map(project));
  }
  fill(context, project, figure.strokes, colour);
  for (const handle of figure.handles) drawHandle(context, project(handle), colour);
  if (layout) drawLabel(context, layout, colour);
  context.restore();
}

function trace(context: Context, project: Project, stroke: Stroke): void {
  if (stroke.points.length < 2) return;
  context.setLineDash(stroke.isDashed ? [4, 5] : []);
  outline(context, project, stroke);
  context.stroke();
  context.setLineDash([]);
}

function fill(context: Context, project: Project, strokes: readonly Stroke[], colour: string): void {
  context.fillStyle = colour;
  for (const stroke of strokes) {
    if (!stroke.isFilled) continue;
    outline(context, project, stroke);
    context.fill();
  }
}

function outline(context: Context, project: Project, { points, isClosed }: Stroke): void {
  context.beginPath();
  points.forEach((point, i) => {
    const { x, y } = project(point);
    if (i === 0) context.moveTo(x, y);
    else context.lineTo(x, y);
  });
  if (isClosed) context.closePath();
}

function segment(context: Context, from: ScreenPoint, to: ScreenPoint): void {
  context.beginPath();
  context.moveTo(from.x, from.y);
  context.lineTo(to.x, to.y);
  context.stroke();
}

function traceMark(context: Context, { x, y }: ScreenPoint): void {
  segment(context, { x: x - MARK, y }, { x: x + MARK, y });
  segment(context, { x, y: y - MARK }, { x, y: y + MARK });
}

function traceHead(context: Context, tip: ScreenPoint, tail: ScreenPoint): void {
  const angle = Math.atan2(tail.y - tip.y, tail.x - tip.x);
  for (const side of [-0.45, 0.45]) {
    const to = {
      x: tip.x + ARROW_HEAD * Math.cos(angle + side),
      y: tip.y + ARROW_HEAD * Math.sin(angle + side),
    };
    segment(context, tip, to);
  }
}

/** From a label that was moved away to the nearest point of its figure. */
function traceLeader(context: Context, box: Box, anchors: readonly ScreenPoint[]): void {
  const centre = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  const far = (p: ScreenPoint): number => Math.hypot(p.x - centre.x, p.y - centre.y);
  const to = anchors.reduce((best, point) => (far(point) < far(best) ? point : best));
  const from = {
    x: Math.min(Math.max(to.x, box.x), box.x + box.width),
    y: Math.min(Math.max(to.y, box.y), box.y + box.height),
  };
  context.setLineDash([2, 4]);
  segment(context, from, to);
  context.setLineDash([]);
}

function drawHandle(context: Context, { x, y }: ScreenPoint, colour: string): void {
  context.beginPath();
  context.arc(x, y, HANDLE + 1.5, 0, 2 * Math.PI);
  context.fillStyle = HALO;
  context.fill();
  context.beginPath();
  context.arc(x, y, HANDLE, 0, 2 * Math.PI);
  context.fillStyle = colour;
  context.fill();
}

function drawLabel(context: Context, { box, lines }: LabelLayout, colour: string): void {
  context.fillStyle = BACKGROUND;
  context.fillRect(box.x, box.y, box.width, box.height);
  context.font = `${FONT_SIZE}px system-ui, -apple-system, "PingFang SC", "Microsoft YaHei", sans-serif`;
  context.textBaseline = 'middle';
  context.textAlign = 'left';
  context.direction = 'ltr';
  context.strokeStyle = HALO;
  context.lineWidth = 3;
  context.fillStyle = colour;
  lines.forEach((line, i) => {
    const [x, y] = [box.x + LABEL_PADDING, box.y + LABEL_PADDING + (i + 0.5) * LINE_HEIGHT];
    context.strokeText(line, x, y);
    context.fillText(line, x, y);
  });
}
