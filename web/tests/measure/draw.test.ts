import { describe, expect, it } from 'vitest';
import type { Graphic } from '../../src/dicom/manifest';
import { drawAnnotations } from '../../src/viewport/annotations/draw';
import { figureOf, labelLayout } from '../../src/viewport/annotations/geometry';
import { hitAt } from '../../src/viewport/annotations/hit_test';
import { labelLines, noteOf } from '../../src/viewport/annotations/labels';
import { drawGraphics, graphicFigure, isPresentationOf } from '../../src/viewport/annotations/presentation';
import { placementOf, toScreen, WHOLE_IMAGE } from '../../src/viewport/view';
import { frameInfo } from '../samples';
import { lengthOf } from './samples';

const frame = frameInfo({ rows: 100, columns: 100, spacing: [0.5, 0.5], spacing_kind: 'patient' });
const size = { width: 400, height: 400 };
const surface = { pixelRatio: 2, size, frame };
const placement = placementOf(frame, WHOLE_IMAGE, size); // 4 CSS pixels per image pixel

type Call = readonly [name: string, ...args: unknown[]];

/** A canvas that writes down what it is told. */
function recorder() {
  const calls: Call[] = [];
  const state: Record<string, unknown> = {};
  const context = new Proxy(state, {
    get: (_, name: string) =>
      name in state ? state[name] : (...args: unknown[]) => void calls.push([name, ...args]),
    set: (_, name: string, value) => {
      state[name] = value;
      calls.push(['=', name, value]);
      return true;
    },
  }) as unknown as CanvasRenderingContext2D;
  return { context, named: (name: string) => calls.filter(([one]) => one === name) };
}

describe('drawing', () => {
  it('traces halo and line, in CSS pixels of a dense screen, and writes as text', () => {
    const { context, named } = recorder();
    const annotation = lengthOf('a', { text: '<img onerror=alert(1)>\u202e' });
    drawAnnotations(context, placement, [annotation], null, surface);
    expect(named('setTransform')).toEqual([['setTransform', 2, 0, 0, 2, 0, 0]]);
    expect(named('moveTo').slice(0, 2)).toEqual([
      ['moveTo', 4, 4],
      ['moveTo', 4, 4],
    ]);
    expect(named('lineTo')[0]).toEqual(['lineTo', 16, 20]);
    expect(named('fillText').map(([, text]) => text)).toEqual(['<img onerror=alert(1)>', '长度 5.0 mm']);
    expect(named('arc')).toEqual([]);
    expect(named('save').length).toBe(named('restore').length);
  });

  it('shows handles of 6 pixels on what is selected only', () => {
    const { context, named } = recorder();
    drawAnnotations(context, placement, [lengthOf('a'), lengthOf('b')], 'b', surface);
    const dots = named('arc').filter(([, , , radius]) => radius === 3);
    expect(dots.map(([, x, y]) => [x, y])).toEqual([
      [4, 4],
      [16, 20],
    ]);
  });

  it('every kind is drawn, unfinished ones too', () => {
    const kinds = ['text', 'arrow', 'angle', 'cobb', 'probe', 'freehand', 'rectangle', 'ellipse'] as const;
    const points = [
      [10, 10],
      [20, 10],
      [20, 30],
      [15, 40],
    ] as const;
    for (const kind of kinds) {
      for (let n = 1; n <= 4; n++) {
        const { context, named } = recorder();
        const measured = [{ name: 'value', value: 1, unit: '' }] as const;
        const annotation = lengthOf('a', { kind, points: points.slice(0, n), measured });
        if (n === 1 && kind !== 'text' && kind !== 'probe' && kind !== 'freehand') continue;
        drawAnnotations(context, placement, [annotation], 'a', surface);
        expect(named('fillText').length).toBe(1);
        expect(JSON.stringify(named('lineTo'))).not.toContain('null');
      }
    }
  });

  it('keeps the label beside the figure and inside the stage', () => {
    const at = (x: number, y: number) =>
      labelLayout(
        figureOf(
          lengthOf('a', {
            points: [
              [1, 1],
              [x, y],
            ],
          }),
          frame,
        ),
        (point) => toScreen(placement, point),
        size,
      )?.box;
    expect(at(40, 50)).toMatchObject({ x: 40 * 4 + 14 });
    const right = at(100, 100);
    expect((right?.x ?? 0) + (right?.width ?? 0)).toBeCloseTo(400);
    expect((right?.y ?? 0) + (right?.height ?? 0)).toBeCloseTo(400);
  });

  it('wraps long words and ends them', () => {
    const long = lengthOf('a', { text: '肺'.repeat(500) });
    const layout = labelLayout(figureOf(long, frame), (point) => toScreen(placement, point), size);
    expect(layout?.lines).toHaveLength(8);
    expect(layout?.box.width).toBeLessThanOrEqual(250);
  });
});

describe('words', () => {
  it('say what a size is worth', () => {
    const annotation = lengthOf('a');
    const detector = frameInfo({ spacing: [0.1, 0.1], spacing_kind: 'detector' });
    expect(labelLines(annotation, noteOf(annotation, detector))).toEqual(['长度 5.0 mm（探测器平面）']);
    const pixels = lengthOf('a', { measured: [{ name: 'length', value: 5, unit: 'px' }] });
    expect(labelLines(pixels, noteOf(pixels, frameInfo()))).toEqual(['长度 5.0 px（未定标）']);
    expect(noteOf(annotation, frame)).toBeNull();
    const angle = lengthOf('a', { kind: 'angle', measured: [{ name: 'angle', value: 30.04, unit: 'deg' }] });
    expect(labelLines(angle, noteOf(angle, frameInfo()))).toEqual(['角度 30.0°']);
  });

  it('give values and their unit, and sizes that read well', () => {
    const measured = [
      { name: 'area', value: 12345, unit: 'mm2' },
      { name: 'mean', value: -45.26, unit: 'HU' },
      { name: 'sd', value: 3.456, unit: 'HU' },
      { name: 'min', value: -60, unit: 'HU' },
      { name: 'max', value: 12, unit: 'HU' },
    ] as const;
    expect(labelLines(lengthOf('a', { kind: 'ellipse', measured }), null)).toEqual([
      '面积 123.5 cm²',
      '均值 -45.3 ± 3.46 HU',
      '最小 -60  最大 12 HU',
    ]);
    const probe = (unit: string) =>
      lengthOf('a', { kind: 'probe', measured: [{ name: 'value', value: 43, unit }] });
    expect(labelLines(probe('HU'), null)).toEqual(['CT值 43 HU']);
    expect(labelLines(probe(''), null)).toEqual(['值 43']);
  });
});

describe('touching', () => {
  const project = (p: { x: number; y: number }) => toScreen(placement, p);
  const figures = [
    figureOf(
      lengthOf('low', {
        points: [
          [10, 10],
          [60, 10],
        ],
      }),
      frame,
    ),
    figureOf(
      lengthOf('high', {
        points: [
          [10, 10],
          [10, 60],
        ],
      }),
      frame,
    ),
  ];

  it('a handle of the selected one is as wide as a fingertip, others are narrower', () => {
    expect(hitAt(figures, 'low', { x: 240, y: 61 }, project, size)).toEqual({
      uid: 'low',
      part: 'handle',
      index: 1,
    });
    expect(hitAt(figures, null, { x: 240, y: 61 }, project, size)).toBeNull();
    expect(hitAt(figures, null, { x: 240, y: 51 }, project, size)).toEqual({
      uid: 'low',
      part: 'handle',
      index: 1,
    });
  });

  it('what is selected comes first, then what lies on top', () => {
    expect(hitAt(figures, null, { x: 40, y: 40 }, project, size)?.uid).toBe('high');
    expect(hitAt(figures, 'low', { x: 40, y: 40 }, project, size)?.uid).toBe('low');
  });

  it('lines and labels are felt, the inside is not', () => {
    expect(hitAt(figures, null, { x: 150, y: 50 }, project, size)).toEqual({ uid: 'low', part: 'body' });
    expect(hitAt(figures, null, { x: 270, y: 42 }, project, size)).toEqual({ uid: 'low', part: 'label' });
    const box = figureOf(
      lengthOf('box', {
        kind: 'rectangle',
        points: [
          [10, 10],
          [60, 60],
        ],
        measured: [],
      }),
      frame,
    );
    expect(hitAt([box], null, { x: 140, y: 140 }, project, size)).toBeNull();
    expect(hitAt([box], null, { x: 240, y: 140 }, project, size)?.part).toBe('body');
  });

  it('a small figure can still be taken in its middle', () => {
    const small = figureOf(
      lengthOf('s', {
        points: [
          [50, 50],
          [60, 50],
        ],
      }),
      frame,
    );
    expect(hitAt([small], 's', { x: 220, y: 200 }, project, size)?.part).toBe('body');
  });
});

describe('graphics of a presentation state', () => {
  const graphic = (other: Partial<Graphic>): Graphic => ({
    ...{
      type: 'POLYLINE',
      units: 'PIXEL',
      points: [
        [1, 1],
        [5, 5],
      ],
      text: '',
      filled: false,
    },
    ...other,
  });
  const figure = (other: Partial<Graphic>, where = placement) => graphicFigure(graphic(other), where, frame);

  it('lines, and closed ones where they end at their beginning', () => {
    expect(figure({})?.strokes[0]).toMatchObject({ isClosed: false, isFilled: false });
    const closedLine = figure({
      points: [
        [0, 0],
        [9, 0],
        [9, 9],
        [0, 0],
      ],
      filled: true,
    });
    expect(closedLine?.strokes[0]).toMatchObject({ isClosed: true, isFilled: true });
  });

  it('a circle by centre and rim, an ellipse by its axes', () => {
    const rim =
      figure({
        type: 'CIRCLE',
        points: [
          [50, 50],
          [53, 54],
        ],
      })?.strokes[0].points ?? [];
    for (const { x, y } of rim) expect(Math.hypot(x - 50, y - 50)).toBeCloseTo(5);
    const oval =
      figure({
        type: 'ELLIPSE',
        points: [
          [40, 50],
          [60, 50],
          [50, 45],
          [50, 55],
        ],
      })?.strokes[0].points ?? [];
    for (const { x, y } of oval) expect(((x - 50) / 10) ** 2 + ((y - 50) / 5) ** 2).toBeCloseTo(1);
  });

  it('a curve goes through its points', () => {
    const points = [
      [0, 0],
      [10, 10],
      [20, 0],
    ] as const;
    const drawn = figure({ type: 'INTERPOLATED', points })?.strokes[0].points ?? [];
    expect(drawn.length).toBeGreaterThan(20);
    for (const [x, y] of points) expect(drawn).toContainEqual({ x, y });
  });

  it('display units are fractions of the picture as it is turned', () => {
    const turned = placementOf(frame, { ...WHOLE_IMAGE, rotation: 90 }, size);
    const [point] = figure({ units: 'DISPLAY', points: [[1, 0]] }, turned)?.strokes[0].points ?? [];
    expect(point.x).toBeCloseTo(0); // the first pixel went to the upper right
    expect(point.y).toBeCloseTo(0);
  });

  it('what is not known or not finite is not drawn, and never many', () => {
    expect(figure({ type: 'MULTIPOINT' })).toBeNull();
    expect(figure({ type: 'CIRCLE', points: [[1, 1]] })).toBeNull();
    expect(figure({ points: [[Number.NaN, 1]] })).toBeNull();
    expect(figure({ points: [] })).toBeNull();
    const { context, named } = recorder();
    drawGraphics(context, placement, Array(5000).fill(graphic({ type: 'TEXT', text: '左' })), surface);
    expect(named('fillText').length).toBe(1000);
  });

  it('belongs to the frames that the state names', () => {
    const state = { targets: [{ instance: '1.2.3', frames: [2] }] } as unknown as Parameters<
      typeof isPresentationOf
    >[0];
    expect(isPresentationOf(state, frameInfo({ frame: 2 }))).toBe(true);
    expect(isPresentationOf(state, frameInfo({ frame: 1 }))).toBe(false);
    expect(isPresentationOf(state, frameInfo({ frame: 2, instance: '9' }))).toBe(false);
  });
});
