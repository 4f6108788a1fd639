/** Graphics that somebody saved with a presentation state (PS3.3 C.10.5): drawn, never changed. */

import type { FrameInfo, Graphic, PresentationState } from '../../dicom/manifest';
import type { ImagePoint } from '../../math/coordinates';
import { distance } from '../../math/shapes';
import { type Placement, toImage, toScreen } from '../view';
import { COLOURS, drawFigure, type Surface } from './draw';
import { closed, ellipseAround, type Figure, open, type Stroke } from './geometry';
import { cleanText } from './labels';

const MOST_GRAPHICS = 1000;
const MOST_POINTS = 10_000;
const STEPS = 12; // pieces of curve between two points

/** Whether a presentation state speaks of this frame. */
export function isPresentationOf(state: PresentationState, { instance, frame }: FrameInfo): boolean {
  return state.targets.some(
    (to) => to.instance === instance && (to.frames === null || to.frames.includes(frame)),
  );
}

export function drawGraphics(
  context: CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D,
  placement: Placement,
  graphics: readonly Graphic[],
  { frame, ...surface }: Surface & { readonly frame: FrameInfo },
): void {
  for (const graphic of graphics.slice(0, MOST_GRAPHICS)) {
    const figure = graphicFigure(graphic, placement, frame);
    if (figure)
      drawFigure(context, (point) => toScreen(placement, point), figure, COLOURS.presentation, surface);
  }
}

/** `null` for what is not known, or has not the points that it needs. */
export function graphicFigure(graphic: Graphic, placement: Placement, frame: FrameInfo): Figure | null {
  const points = graphic.points
    .slice(0, MOST_POINTS)
    .map(([x, y]) => inImage(graphic, { x, y }, placement, frame));
  if (points.length === 0 || !points.every(({ x, y }) => Number.isFinite(x) && Number.isFinite(y)))
    return null;
  const strokes = strokesOf(graphic, points);
  if (!strokes) return null;
  const text = cleanText(graphic.text);
  return {
    uid: '',
    strokes,
    marks: graphic.type === 'POINT' ? points : [],
    arrow: null,
    handles: [],
    anchors: [points[0]],
    lines: text ? [text] : [],
    label: graphic.type === 'TEXT' ? points[0] : null,
  };
}

/** DISPLAY points are fractions of the picture as it stands on the screen (C.10.5.1.2). */
function inImage({ units }: Graphic, point: ImagePoint, placement: Placement, frame: FrameInfo): ImagePoint {
  if (units !== 'DISPLAY') return point;
  const [right, bottom] = [frame.columns, frame.rows];
  const corners = [
    { x: 0, y: 0 },
    { x: right, y: 0 },
    { x: 0, y: bottom },
    { x: right, y: bottom },
  ].map((corner) => toScreen(placement, corner));
  const [xs, ys] = [corners.map(({ x }) => x), corners.map(({ y }) => y)];
  const at = (values: readonly number[], part: number): number =>
    Math.min(...values) + part * (Math.max(...values) - Math.min(...values));
  return toImage(placement, { x: at(xs, point.x), y: at(ys, point.y) });
}

function strokesOf(graphic: Graphic, points: readonly ImagePoint[]): readonly Stroke[] | null {
  const outline = outlineOf(graphic, points);
  return outline?.map((stroke) => ({ ...stroke, isFilled: graphic.filled && stroke.isClosed })) ?? null;
}

function outlineOf({ type }: Graphic, points: readonly ImagePoint[]): readonly Stroke[] | null {
  switch (type) {
    case 'POINT':
    case 'TEXT':
      return [];
    case 'POLYLINE':
      return [lineThrough(points)];
    case 'INTERPOLATED':
      return [lineThrough(curve(points))];
    case 'CIRCLE': {
      if (points.length !== 2) return null;
      const radius = distance(points[0], points[1]);
      return [closed(ellipseAround(points[0], { x: radius, y: 0 }, { x: 0, y: radius }))];
    }
    case 'ELLIPSE': {
      if (points.length !== 4) return null; // ends of the major axis, ends of the minor axis
      const [a, b, c, d] = points;
      const centre = { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
      return [closed(ellipseAround(centre, half(a, b), half(c, d)))];
    }
    default:
      return null;
  }
}

function half(a: ImagePoint, b: ImagePoint): ImagePoint {
  return { x: (b.x - a.x) / 2, y: (b.y - a.y) / 2 };
}

/** Closed when it ends where it began. */
function lineThrough(points: readonly ImagePoint[]): Stroke {
  const isClosed = points.length > 2 && distance(points[0], points[points.length - 1]) === 0;
  return isClosed ? closed(points) : open(...points);
}

/** A Catmull-Rom curve through all points. */
function curve(points: readonly ImagePoint[]): readonly ImagePoint[] {
  if (points.length < 3) return points;
  const at = (i: number): ImagePoint => points[Math.min(Math.max(i, 0), points.length - 1)];
  const found = [points[0]];
  for (let i = 0; i + 1 < points.length; i++) {
    const [p, q, r, s] = [at(i - 1), at(i), at(i + 1), at(i + 2)];
    for (let step = 1; step <= STEPS; step++) {
      const t = step / STEPS;
      found.push({ x: blend(p.x, q.x, r.x, s.x, t), y: blend(p.y, q.y, r.y, s.y, t) });
    }
  }
  return found;
}

function blend(p: number, q: number, r: number, s: number, t: number): number {
  return q + (t * (r - p + t * (2 * p - 5 * q + 4 * r - s + t * (3 * (q - r) + s - p)))) / 2;
}
