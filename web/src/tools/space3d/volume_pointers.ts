/** Fingers, mouse and wheel on a rendered volume: turn it, or what the chosen tool means there. */

import type { PatientPoint, ScreenPoint } from '../../math/coordinates';
import type { AnnotationBook } from '../../viewport/annotations/book';
import type { VolumeViewport } from '../../viewport/volume_viewport';
import type { Drag } from '../tool';
import { dragSolid } from './solid_in_volume';

const PIXELS_PER_FACTOR_E = 150;
const PIXELS_PER_WIDTH = 250;
const WHEEL_PIXELS = 400; // of turning the wheel for a factor of e

export interface VolumeActions {
  /** Id of the tool that the reader chose. */
  chosen(): string;
  readonly annotations: AnnotationBook;
  goToPoint(point: PatientPoint): void;
}

export function bindVolumePointers(
  element: HTMLElement,
  viewport: VolumeViewport,
  actions: VolumeActions,
): void {
  const down = new Map<number, ScreenPoint>();
  let drag: Drag | null = null;
  const at = (event: MouseEvent): ScreenPoint => {
    const box = element.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  element.addEventListener('pointerdown', (event) => {
    if (down.size >= 2) return;
    element.setPointerCapture(event.pointerId);
    down.set(event.pointerId, at(event));
    drag?.cancel?.();
    drag =
      down.size === 2 ? null : dragOf(viewport, actions, buttonTool(event) ?? actions.chosen(), at(event));
    event.preventDefault();
  });
  element.addEventListener('pointermove', (event) => {
    const before = down.get(event.pointerId);
    if (!before) return;
    const now = at(event);
    if (down.size === 2) pinch(viewport, [...down.entries()], event.pointerId, now);
    down.set(event.pointerId, now);
    drag?.move(now);
  });
  const release = (event: PointerEvent): void => {
    if (!down.delete(event.pointerId)) return;
    if (event.type === 'pointerup') drag?.end?.(at(event));
    else drag?.cancel?.();
    drag = null;
  };
  element.addEventListener('pointerup', release);
  element.addEventListener('pointercancel', release);
  element.addEventListener('contextmenu', (event) => event.preventDefault());
  element.addEventListener(
    'wheel',
    (event) => {
      event.preventDefault();
      viewport.zoomBy(Math.exp(-event.deltaY / WHEEL_PIXELS), at(event));
    },
    { passive: false },
  );
}

/** What the other buttons of a mouse do, as on pictures. */
function buttonTool(event: PointerEvent): string | null {
  if (event.pointerType !== 'mouse') return null;
  return event.button === 2 ? 'window' : event.button === 1 ? 'pan' : null;
}

function dragOf(
  viewport: VolumeViewport,
  actions: VolumeActions,
  tool: string,
  from: ScreenPoint,
): Drag | null {
  let last = from;
  const byStep = (act: (dx: number, dy: number) => void): Drag => ({
    move: (to) => {
      const [dx, dy] = [to.x - last.x, to.y - last.y];
      last = to;
      act(dx, dy);
    },
  });
  switch (tool) {
    case 'sphere':
    case 'cuboid':
      return dragSolid(viewport, actions.annotations, tool, from);
    case 'locate': {
      const go = (to: ScreenPoint): void => {
        const point = viewport.pick(to);
        if (point) actions.goToPoint(point);
      };
      go(from);
      return { move: () => undefined, end: go };
    }
    case 'pan':
      return byStep((dx, dy) => viewport.pan(dx, dy));
    case 'zoom':
      return byStep((_, dy) => viewport.zoomBy(Math.exp(-dy / PIXELS_PER_FACTOR_E), from));
    case 'window':
      return byStep((dx, dy) => rewindow(viewport, dx, dy));
    default:
      return byStep((dx, dy) => viewport.turn(dx, dy));
  }
}

/** Right: softer transitions; down: more is seen through. */
function rewindow(viewport: VolumeViewport, dx: number, dy: number): void {
  const { center, width } = viewport.window;
  const step = width / PIXELS_PER_WIDTH;
  viewport.setLook({ window: { center: center + dy * step, width: Math.max(width + dx * step, step) } });
}

/** Two fingers: one of them moved to `now`. */
function pinch(
  viewport: VolumeViewport,
  fingers: readonly (readonly [number, ScreenPoint])[],
  moved: number,
  now: ScreenPoint,
): void {
  const [still] = fingers.filter(([id]) => id !== moved).map(([, point]) => point);
  const [before] = fingers.filter(([id]) => id === moved).map(([, point]) => point);
  const far = (point: ScreenPoint): number => Math.max(Math.hypot(point.x - still.x, point.y - still.y), 1);
  const middle = { x: (still.x + now.x) / 2, y: (still.y + now.y) / 2 };
  viewport.pan((now.x - before.x) / 2, (now.y - before.y) / 2);
  viewport.zoomBy(far(now) / far(before), middle);
}
