/** What lies under a finger. Distances in CSS pixels. Pure. */

import type { ScreenPoint, Size } from '../../math/coordinates';
import { distance, distanceToSegment } from '../../math/shapes';
import { type Box, type Figure, labelLayout, type Project, type Stroke } from './geometry';

export type Hit =
  | { readonly uid: string; readonly part: 'handle'; readonly index: number }
  | { readonly uid: string; readonly part: 'label' | 'body' };

/** A fingertip is 44 px wide; only what is selected may take so much room from the picture. */
const HANDLE_REACH = 22;
const REACH = 12;

/** The part under `at`; the selected figure first, then the one that lies on top (the last). */
export function hitAt(
  figures: readonly Figure[],
  selected: string | null,
  at: ScreenPoint,
  project: Project,
  stage: Size,
): Hit | null {
  const chosen = figures.filter(({ uid }) => uid === selected);
  const others = figures.filter(({ uid }) => uid !== selected).reverse();
  for (const figure of [...chosen, ...others]) {
    const hit = hitFigure(figure, at, project, stage, figure.uid === selected);
    if (hit) return hit;
  }
  return null;
}

function hitFigure(
  figure: Figure,
  at: ScreenPoint,
  project: Project,
  stage: Size,
  isSelected: boolean,
): Hit | null {
  const { uid } = figure;
  const handles = figure.handles.map(project);
  const close = nearest(handles, at, REACH);
  if (close >= 0) return { uid, part: 'handle', index: close };
  const layout = labelLayout(figure, project, stage);
  if (layout && holds(layout.box, at)) return { uid, part: 'label' };
  const wide = isSelected ? nearest(handles, at, handleReach(handles)) : -1;
  if (wide >= 0) return { uid, part: 'handle', index: wide };
  const isOn = figure.strokes.some((stroke) => distanceToStroke(stroke, at, project) <= REACH);
  return isOn ? { uid, part: 'body' } : null;
}

/** A fingertip's, but no more than leaves a small figure a middle to take it by. */
function handleReach(handles: readonly ScreenPoint[]): number {
  const gaps = handles.slice(1).map((handle, i) => distance(handle, handles[i]));
  return Math.min(HANDLE_REACH, ...gaps.map((gap) => gap / 3));
}

/** The index of the nearest point within `reach`; −1 for none. */
function nearest(points: readonly ScreenPoint[], at: ScreenPoint, reach: number): number {
  let [best, least] = [-1, reach];
  points.forEach((point, i) => {
    const far = distance(point, at);
    if (far > least) return;
    best = i;
    least = far;
  });
  return best;
}

function distanceToStroke({ points, isClosed }: Stroke, at: ScreenPoint, project: Project): number {
  const screen = points.map(project);
  let least = Number.POSITIVE_INFINITY;
  for (let i = isClosed ? 0 : 1; i < screen.length; i++) {
    const from = screen[(i + screen.length - 1) % screen.length];
    least = Math.min(least, distanceToSegment(at, from, screen[i]));
  }
  return least;
}

function holds({ x, y, width, height }: Box, at: ScreenPoint): boolean {
  return at.x >= x && at.x <= x + width && at.y >= y && at.y <= y + height;
}
