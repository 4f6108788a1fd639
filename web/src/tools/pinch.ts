/** Two fingers: their distance magnifies, their middle moves the image, whatever tool is chosen. */

import type { ScreenPoint } from '../math/coordinates';
import { panned, zoomed } from '../viewport/view';
import type { Stage } from './tool';

export type TwoFingers = readonly [ScreenPoint, ScreenPoint];

/** Follows both fingers from where they went down. */
export function startPinch(stage: Stage, from: TwoFingers): (to: TwoFingers) => void {
  const { view } = stage;
  const middleFrom = middle(from);
  const spreadFrom = Math.max(spread(from), 1);
  return (to) => {
    const { frame, size } = stage;
    const magnified = zoomed(frame, view, size, spread(to) / spreadFrom, middleFrom);
    const middleTo = middle(to);
    stage.setView(panned(frame, magnified, size, middleTo.x - middleFrom.x, middleTo.y - middleFrom.y));
  };
}

function middle([a, b]: TwoFingers): ScreenPoint {
  return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
}

function spread([a, b]: TwoFingers): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}
