/** A stage for measuring tools: one image pixel is `zoom` CSS pixels, the picture's corner is the stage's. */

import { vi } from 'vitest';
import type { FlatAnnotation } from '../../src/dicom/annotation';
import type { FrameInfo } from '../../src/dicom/manifest';
import type { Stage, Tool } from '../../src/tools/tool';
import { AnnotationBook } from '../../src/viewport/annotations/book';
import { WHOLE_IMAGE } from '../../src/viewport/view';
import { decoded, frameInfo, seriesOf } from '../samples';

export const ZOOM = 4;

export function stageOn(other: Partial<FrameInfo> = {}, value: (x: number, y: number) => number = () => 0) {
  const frame = frameInfo({
    ...{ rows: 100, columns: 100, signed: false, spacing: [0.5, 0.5], spacing_kind: 'patient' },
    ...other,
  });
  const { rows, columns } = frame;
  const data = new Uint16Array(rows * columns).map((_, i) => value(i % columns, Math.floor(i / columns)));
  return {
    size: { width: columns * ZOOM, height: rows * ZOOM },
    series: seriesOf([frame]),
    frame,
    decoded: decoded(data),
    index: 0,
    count: 1,
    plane: null,
    view: WHOLE_IMAGE,
    voi: null,
    volume: null,
    annotations: new AnnotationBook(),
    toImage: ({ x, y }) => ({ x: x / ZOOM, y: y / ZOOM }),
    toScreen: ({ x, y }) => ({ x: x * ZOOM, y: y * ZOOM }),
    scrollTo: vi.fn(),
    setView: vi.fn(),
    setVoi: vi.fn(),
    magnify: vi.fn(),
    goToPoint: vi.fn(),
    ask: vi.fn<Stage['ask']>(),
  } satisfies Stage;
}

export type TestStage = ReturnType<typeof stageOn>;

/** Presses, moves along, and lifts; points in image pixels. */
export function drag(tool: Tool, stage: Stage, ...path: readonly (readonly [number, number])[]): void {
  const [from, ...others] = path.map(([x, y]) => stage.toScreen({ x, y }));
  const held = tool.start(stage, from);
  for (const to of others) held?.move(to);
  held?.end?.(others[others.length - 1] ?? from);
}

/** The only annotation of the book. */
export function only({ annotations }: Stage): FlatAnnotation {
  const [one, ...others] = annotations.all.value;
  if (!one || others.length > 0) throw new Error(`the book has ${others.length + (one ? 1 : 0)} annotations`);
  return one as FlatAnnotation;
}

export function measured(annotation: FlatAnnotation): Record<string, string> {
  return Object.fromEntries(
    annotation.measured.map(({ name, value, unit }) => [name, `${Number(value.toFixed(4))} ${unit}`.trim()]),
  );
}
