import { describe, expect, it, vi } from 'vitest';
import type { ScreenPoint } from '../src/math/coordinates';
import { locate } from '../src/tools/locate';
import { magnifier } from '../src/tools/magnifier';
import { pan } from '../src/tools/pan';
import { startPinch } from '../src/tools/pinch';
import { rotate } from '../src/tools/rotate';
import { scroll } from '../src/tools/scroll';
import type { Stage, Tool } from '../src/tools/tool';
import { windowing } from '../src/tools/window';
import { zoom } from '../src/tools/zoom';
import { AnnotationBook } from '../src/viewport/annotations/book';
import { placementOf, toScreen, type View, WHOLE_IMAGE } from '../src/viewport/view';
import { decoded, frameInfo, seriesOf } from './samples';

function stage(other: Partial<Pick<Stage, 'count' | 'voi'>> = {}) {
  const frame = frameInfo({ rows: 100, columns: 100 });
  return {
    size: { width: 400, height: 400 },
    series: seriesOf([frame]),
    frame,
    decoded: decoded(new Int16Array(10_000)),
    plane: null,
    volume: null,
    annotations: new AnnotationBook(),
    index: 10,
    count: 40,
    view: WHOLE_IMAGE,
    voi: { center: 40, width: 500 },
    toImage: ({ x, y }) => ({ x, y }),
    toScreen: ({ x, y }) => ({ x, y }),
    scrollTo: vi.fn<Stage['scrollTo']>(),
    setView: vi.fn<Stage['setView']>(),
    setVoi: vi.fn<Stage['setVoi']>(),
    magnify: vi.fn<Stage['magnify']>(),
    goToPoint: vi.fn<Stage['goToPoint']>(),
    ask: async () => null,
    ...other,
  } satisfies Stage;
}

function drag(tool: Tool, on: Stage, to: ScreenPoint): void {
  tool.start(on, origin)?.move(to);
}

/** The view that a tool set last. */
function lastView(on: ReturnType<typeof stage>): View {
  const call = on.setView.mock.lastCall;
  if (!call) throw new Error('no view was set');
  return call[0];
}

const origin = { x: 200, y: 200 };

describe('tools', () => {
  it('scroll: the height of the stage is the stack, and a step never too fine for a finger', () => {
    const short = stage();
    drag(scroll, short, { x: 0, y: 230 });
    expect(short.scrollTo).toHaveBeenLastCalledWith(13);
    const long = stage({ count: 4000 });
    drag(scroll, long, { x: 0, y: 170 });
    expect(long.scrollTo).toHaveBeenLastCalledWith(0);
  });

  it('pan: the image follows the pointer', () => {
    const on = stage();
    drag(pan, on, { x: 240, y: 180 });
    const { e, f } = placementOf(on.frame, lastView(on), on.size);
    expect(e).toBeCloseTo(40);
    expect(f).toBeCloseTo(-20);
  });

  it('zoom: up magnifies, down shrinks, within limits', () => {
    const on = stage();
    const held = zoom.start(on, origin);
    held?.move({ x: 200, y: 50 });
    expect(lastView(on).zoom).toBeCloseTo(Math.E);
    held?.move({ x: 200, y: 350 });
    expect(lastView(on).zoom).toBeCloseTo(1 / Math.E);
    held?.move({ x: 200, y: -9999 });
    expect(lastView(on).zoom).toBe(40);
  });

  it('window: right widens, down raises the centre, a width stays positive', () => {
    const on = stage();
    const held = windowing.start(on, origin);
    held?.move({ x: 250, y: 190 });
    expect(on.setVoi).toHaveBeenLastCalledWith({ center: 20, width: 600 });
    held?.move({ x: -9999, y: 200 });
    expect(on.setVoi).toHaveBeenLastCalledWith({ center: 40, width: 1 });
  });

  it('window: colour has none', () => {
    const on = stage({ voi: null });
    drag(windowing, on, { x: 0, y: 0 });
    expect(on.setVoi).not.toHaveBeenCalled();
  });

  it('pinch: twice the distance is twice the size, the middle moves the image', () => {
    const on = stage();
    const from = [
      { x: 150, y: 200 },
      { x: 250, y: 200 },
    ] as const;
    startPinch(
      on,
      from,
    )([
      { x: 120, y: 210 },
      { x: 320, y: 210 },
    ]);
    const view = lastView(on);
    expect(view.zoom).toBeCloseTo(2);
    // what was in the middle of the stage is now where the fingers' middle went
    const middle = toScreen(placementOf(on.frame, view, on.size), { x: 50, y: 50 });
    expect(middle.x).toBeCloseTo(220);
    expect(middle.y).toBeCloseTo(210);
  });

  it('magnifier: the glass follows the pointer and goes with it', () => {
    const on = stage();
    const held = magnifier.start(on, origin);
    held?.move({ x: 10, y: 20 });
    expect(on.magnify).toHaveBeenLastCalledWith({ x: 10, y: 20 });
    held?.end?.({ x: 10, y: 20 });
    expect(on.magnify).toHaveBeenLastCalledWith(null);
  });

  it('rotate: the image turns as far as the pointer goes around the middle', () => {
    const on = stage();
    rotate.start(on, { x: 300, y: 200 })?.move({ x: 200, y: 300 });
    expect(lastView(on).rotation).toBeCloseTo(90);
  });

  it('locate: the place under the pointer, in the patient; without a plane nothing', () => {
    const on = stage();
    expect(locate.start(on, origin)).toBeNull();
    const plane = { origin: [10, 20, 30], right: [1, 0, 0], down: [0, 0, -1], spacing: [2, 3] } as const;
    locate.start({ ...on, plane }, { x: 1.5, y: 2.5 });
    expect(on.goToPoint).toHaveBeenLastCalledWith([13, 20, 26]);
  });
});
