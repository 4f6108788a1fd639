/** The figures that annotations are drawn and touched as. Points in image pixels. Pure. */

import type { FlatAnnotation } from '../../dicom/annotation';
import type { FrameInfo } from '../../dicom/manifest';
import type { ImagePoint, ScreenPoint, Size } from '../../math/coordinates';
import { middle } from '../../math/shapes';
import { imagePoint, labelLines, noteOf } from './labels';

export interface Stroke {
  readonly points: readonly ImagePoint[];
  readonly isClosed: boolean;
  readonly isDashed: boolean;
  readonly isFilled?: boolean;
}

export interface Figure {
  readonly uid: string;
  readonly strokes: readonly Stroke[];
  /** Single points, drawn as small crosses. */
  readonly marks: readonly ImagePoint[];
  /** An arrow head at `tip`, seen from `tail`. */
  readonly arrow: { readonly tip: ImagePoint; readonly tail: ImagePoint } | null;
  readonly handles: readonly ImagePoint[];
  /** Points beside which the label may stand. */
  readonly anchors: readonly ImagePoint[];
  readonly lines: readonly string[];
  /** Where the reader put the label: its upper left corner. */
  readonly label: ImagePoint | null;
}

export type Project = (point: ImagePoint) => ScreenPoint;

const ELLIPSE_SIDES = 72;

/** The figure of an annotation on its frame. A draft may have fewer points than its kind needs. */
export function figureOf(annotation: FlatAnnotation, frame: FrameInfo): Figure {
  const points = annotation.points.map(imagePoint);
  const strokes = strokesOf(annotation.kind, points);
  const drawn = strokes.flatMap((stroke) => stroke.points);
  const [first, last] = [points[0], points[points.length - 1]];
  const isArrow = annotation.kind === 'arrow' && points.length === 2;
  return {
    uid: annotation.uid,
    strokes,
    marks: annotation.kind === 'probe' ? [first] : [],
    arrow: isArrow ? { tip: first, tail: last } : null,
    handles: annotation.kind === 'freehand' ? [] : points,
    anchors: isArrow ? [last] : drawn.length > 0 ? drawn : [first],
    lines: labelLines(annotation, noteOf(annotation, frame)),
    label: annotation.label,
  };
}

function strokesOf(kind: FlatAnnotation['kind'], points: readonly ImagePoint[]): readonly Stroke[] {
  const [a, b, c, d] = points;
  switch (kind) {
    case 'text':
    case 'probe':
      return [];
    case 'cobb': {
      if (!d) return [open(a, b)];
      const axis = { ...open(middle([a, b]), middle([c, d])), isDashed: true };
      return [open(a, b), open(c, d), axis];
    }
    case 'rectangle':
      return [closed(cornersOf(a, b))];
    case 'ellipse':
      return [closed(ellipsePoints(a, b))];
    case 'freehand':
      return [closed(points)];
    default:
      return [open(...points)];
  }
}

export function open(...points: readonly ImagePoint[]): Stroke {
  return { points, isClosed: false, isDashed: false };
}

export function closed(points: readonly ImagePoint[]): Stroke {
  return { points, isClosed: true, isDashed: false };
}

export function cornersOf(a: ImagePoint, b: ImagePoint): readonly ImagePoint[] {
  return [a, { x: b.x, y: a.y }, b, { x: a.x, y: b.y }];
}

/** The ellipse in the box between two opposite corners, as a polygon. */
function ellipsePoints(a: ImagePoint, b: ImagePoint): readonly ImagePoint[] {
  const centre = middle([a, b]);
  return ellipseAround(centre, { x: (b.x - a.x) / 2, y: 0 }, { x: 0, y: (b.y - a.y) / 2 });
}

/** The ellipse with two half axes, as a polygon. */
export function ellipseAround(centre: ImagePoint, p: ImagePoint, q: ImagePoint): readonly ImagePoint[] {
  return Array.from({ length: ELLIPSE_SIDES }, (_, i) => {
    const angle = (2 * Math.PI * i) / ELLIPSE_SIDES;
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    return { x: centre.x + cos * p.x + sin * q.x, y: centre.y + cos * p.y + sin * q.y };
  });
}

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface LabelLayout {
  readonly box: Box;
  readonly lines: readonly string[];
}

export const FONT_SIZE = 13;
export const LINE_HEIGHT = 17;
export const LABEL_PADDING = 4;
const LABEL_GAP = 14; // leaves the handle its place under the finger
const WIDEST_LABEL = 240;
const MOST_LINES = 8;
const NARROW = 0.6; // width of Latin letters and digits by font size; Chinese characters are 1

/** Where the label stands on the stage, in CSS pixels; `null` without words. The widths are estimates: no canvas is needed. */
export function labelLayout(figure: Figure, project: Project, stage: Size): LabelLayout | null {
  const lines = figure.lines.flatMap(wrapped).slice(0, MOST_LINES);
  if (lines.length === 0) return null;
  const width = Math.max(...lines.map(widthOf)) + 2 * LABEL_PADDING;
  const height = lines.length * LINE_HEIGHT + 2 * LABEL_PADDING;
  if (figure.label) return { box: { ...project(figure.label), width, height }, lines };
  const right = figure.anchors.map(project).reduce((best, point) => (point.x > best.x ? point : best));
  // beside the figure, and inside the stage as long as the figure is
  const x = Math.max(Math.min(right.x + LABEL_GAP, stage.width - width), Math.min(0, right.x));
  const y = Math.max(Math.min(right.y - height / 2, stage.height - height), Math.min(0, right.y));
  return { box: { x, y, width, height }, lines };
}

function widthOf(text: string): number {
  let sum = 0;
  for (const letter of text) sum += widthOfLetter(letter);
  return sum;
}

function widthOfLetter(letter: string): number {
  return letter > '\u2e80' ? FONT_SIZE : FONT_SIZE * NARROW;
}

function wrapped(text: string): readonly string[] {
  const lines: string[] = [];
  let [line, width] = ['', 0];
  for (const letter of text) {
    const more = widthOfLetter(letter);
    if (width + more > WIDEST_LABEL) {
      lines.push(line);
      [line, width] = ['', 0];
    }
    line += letter;
    width += more;
  }
  return [...lines, line];
}
