import { describe, expect, it, vi } from 'vitest';
import { pan } from '../src/tools/pan';
import { startPinch } from '../src/tools/pinch';
import { scroll } from '../src/tools/scroll';
import type { Stage } from '../src/tools/tool';
import { windowing } from '../src/tools/window';
import { zoom } from '../src/tools/zoom';
import { placementOf, type View, WHOLE_IMAGE } from '../src/viewport/view';
import { frameInfo } from './samples';

function stage(other: Partial<Pick<Stage, 'count' | 'voi'>> = {}) {
  return {
    size: { width: 400, height: 400 },
    frame: frameInfo({ rows: 100, columns: 100 }),
    index: 10,
    count: 40,
    view: WHOLE_IMAGE,
    voi: { center: 40, width: 500 },
    scrollTo: vi.fn<Stage['scrollTo']>(),
    setView: vi.fn<Stage['setView']>(),
    setVoi: vi.fn<Stage['setVoi']>(),
    ...other,
  };
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
    scroll.start(short, origin)({ x: 0, y: 230 });
    expect(short.scrollTo).toHaveBeenLastCalledWith(13);
    const long = stage({ count: 4000 });
    scroll.start(long, origin)({ x: 0, y: 170 });
    expect(long.scrollTo).toHaveBeenLastCalledWith(0);
  });

  it('pan: the image follows the pointer', () => {
    const on = stage();
    pan.start(on, origin)({ x: 240, y: 180 });
    const { originX, originY } = placementOf(on.frame, lastView(on), on.size);
    expect(originX).toBeCloseTo(40);
    expect(originY).toBeCloseTo(-20);
  });

  it('zoom: up magnifies, down shrinks, within limits', () => {
    const on = stage();
    const drag = zoom.start(on, origin);
    drag({ x: 200, y: 50 });
    expect(lastView(on).zoom).toBeCloseTo(Math.E);
    drag({ x: 200, y: 350 });
    expect(lastView(on).zoom).toBeCloseTo(1 / Math.E);
    drag({ x: 200, y: -9999 });
    expect(lastView(on).zoom).toBe(40);
  });

  it('window: right widens, down raises the centre, a width stays positive', () => {
    const on = stage();
    const drag = windowing.start(on, origin);
    drag({ x: 250, y: 190 });
    expect(on.setVoi).toHaveBeenLastCalledWith({ center: 20, width: 600 });
    drag({ x: -9999, y: 200 });
    expect(on.setVoi).toHaveBeenLastCalledWith({ center: 40, width: 1 });
  });

  it('window: colour has none', () => {
    const on = stage({ voi: null });
    windowing.start(on, origin)({ x: 0, y: 0 });
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
    const placement = placementOf(on.frame, view, on.size);
    // what was in the middle of the stage is now where the fingers' middle went
    expect(placement.originX + 50 * placement.scaleX).toBeCloseTo(220);
    expect(placement.originY + 50 * placement.scaleY).toBeCloseTo(210);
  });
});
