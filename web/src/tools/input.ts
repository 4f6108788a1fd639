/** Fingers, mouse, wheel and keys → tools. */

import type { ScreenPoint } from '../math/coordinates';
import { zoomed } from '../viewport/view';
import { startPinch, type TwoFingers } from './pinch';
import { MIDDLE_BUTTON_TOOL, RIGHT_BUTTON_TOOL } from './registry';
import type { Drag, Stage, Tool } from './tool';

const WHEEL_STEP = 40; // a mouse notch is 100, half of it on some dense screens; a touch pad sends many small ones
const WHEEL_ZOOM = 1.15;

/** Binds pointer and wheel of `element`. `stageOf` gives `null` while there is no picture. */
export function bindPointers(element: HTMLElement, stageOf: () => Stage | null, chosen: () => Tool): void {
  const down = new Map<number, ScreenPoint>();
  let drag: Drag | null = null;
  let pinch: ((to: TwoFingers) => void) | null = null;

  const at = (event: PointerEvent | WheelEvent): ScreenPoint => {
    const box = element.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const fingers = (): TwoFingers => [...down.values()].slice(0, 2) as unknown as TwoFingers;

  element.addEventListener('pointerdown', (event) => {
    const stage = stageOf();
    if (!stage || down.size >= 2) return;
    element.setPointerCapture(event.pointerId);
    down.set(event.pointerId, at(event));
    if (down.size === 2) {
      drag?.cancel?.();
      drag = null;
      pinch = startPinch(stage, fingers());
    } else {
      drag = toolOf(event, chosen()).start(stage, at(event));
    }
    event.preventDefault();
  });
  element.addEventListener('pointermove', (event) => {
    if (!down.has(event.pointerId)) return;
    down.set(event.pointerId, at(event));
    if (pinch) pinch(fingers());
    else drag?.move(at(event));
  });
  const release = (event: PointerEvent): void => {
    if (!down.delete(event.pointerId)) return;
    if (event.type === 'pointerup') drag?.end?.(at(event));
    else drag?.cancel?.();
    // after a pinch the finger that stays does nothing, or the picture would jump
    drag = null;
    pinch = null;
  };
  element.addEventListener('pointerup', release);
  element.addEventListener('pointercancel', release);
  element.addEventListener('contextmenu', (event) => event.preventDefault());

  let turned = 0;
  element.addEventListener(
    'wheel',
    (event) => {
      event.preventDefault();
      const stage = stageOf();
      if (!stage) return;
      turned += event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? event.deltaY : event.deltaY * WHEEL_STEP;
      const steps = Math.trunc(turned / WHEEL_STEP);
      if (steps === 0) return;
      turned -= steps * WHEEL_STEP;
      if (event.ctrlKey)
        stage.setView(zoomed(stage.frame, stage.view, stage.size, WHEEL_ZOOM ** -steps, at(event)));
      else stage.scrollTo(stage.index + Math.sign(steps));
    },
    { passive: false },
  );
}

function toolOf(event: PointerEvent, chosen: Tool): Tool {
  if (event.pointerType !== 'mouse') return chosen;
  return event.button === 2 ? RIGHT_BUTTON_TOOL : event.button === 1 ? MIDDLE_BUTTON_TOOL : chosen;
}

/** What keys may ask for. */
export interface KeyActions {
  step(frames: number): void;
  toEnd(end: 'first' | 'last'): void;
  stepSeries(by: number): void;
  zoomBy(factor: number): void;
  reset(): void;
  invert(): void;
  playOrStop(): void;
}

/** Binds the keys of the whole page; typing into a field stays typing. `first` may take a key for itself. */
export function bindKeys(actions: KeyActions, first: (press: KeyboardEvent) => boolean): void {
  const keys: Record<string, () => void> = {
    ArrowDown: () => actions.step(1),
    ArrowRight: () => actions.step(1),
    ArrowUp: () => actions.step(-1),
    ArrowLeft: () => actions.step(-1),
    PageDown: () => actions.stepSeries(1),
    PageUp: () => actions.stepSeries(-1),
    Home: () => actions.toEnd('first'),
    End: () => actions.toEnd('last'),
    '+': () => actions.zoomBy(WHEEL_ZOOM),
    '=': () => actions.zoomBy(WHEEL_ZOOM),
    '-': () => actions.zoomBy(1 / WHEEL_ZOOM),
    '0': () => actions.reset(),
    i: () => actions.invert(),
    ' ': () => actions.playOrStop(),
  };
  document.addEventListener('keydown', (event) => {
    const isTyping = event.target instanceof HTMLElement && event.target.closest('input, textarea, select');
    if (isTyping) return;
    if (first(event)) {
      event.preventDefault();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || !Object.hasOwn(keys, event.key)) return;
    // a button that was reached by keys is pressed by the space bar
    if (event.key === ' ' && event.target instanceof HTMLElement && event.target.matches(':focus-visible'))
      return;
    event.preventDefault();
    keys[event.key]();
  });
}
