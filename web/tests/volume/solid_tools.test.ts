import { describe, expect, it } from 'vitest';
import type { SolidAnnotation } from '../../src/dicom/annotation';
import type { ScreenPoint } from '../../src/math/coordinates';
import type { Plane } from '../../src/math/plane';
import { dragged, gripAt, sectionOf } from '../../src/tools/space3d/section';
import { cuboid, sphere } from '../../src/tools/space3d/solid_tool';
import type { Stage } from '../../src/tools/tool';
import { AnnotationBook } from '../../src/viewport/annotations/book';
import { emptyVolume } from '../../src/volume/loader';
import { planVolume } from '../../src/volume/plan';
import { FULL } from '../../src/volume/volume';
import { frameInfo, seriesOf } from '../samples';

const SIZE = 40;
const series = seriesOf(
  Array.from({ length: SIZE }, (_, z) =>
    frameInfo({
      rows: SIZE,
      columns: SIZE,
      spacing: [1, 1],
      position: [0, 0, z],
      orientation: [1, 0, 0, 0, 1, 0],
      instance: `1.${z}`,
      unit: 'HU',
    }),
  ),
);

/** A block of 40 mm, everywhere 7 and 107 beyond x = 20. */
function block() {
  const volume = emptyVolume(planVolume(series));
  volume.data.forEach((_, i) => {
    volume.data[i] = i % SIZE >= 20 ? 107 : 7;
  });
  volume.quality.fill(FULL);
  return volume;
}

const axial: Plane = { origin: [0, 0, 20], right: [1, 0, 0], down: [0, 1, 0], spacing: [1, 1] };

function stage(book: AnnotationBook, plane: Plane = axial, volume = block()): Stage {
  return {
    series,
    plane,
    volume,
    annotations: book,
    toImage: ({ x, y }: ScreenPoint) => ({ x, y }),
    toScreen: ({ x, y }: ScreenPoint) => ({ x, y }),
  } as unknown as Stage;
}

function draw(on: Stage, tool: typeof sphere, from: ScreenPoint, to: ScreenPoint): void {
  const drag = tool.start(on, from);
  drag?.move(to);
  drag?.end?.(to);
}

const figureOf = (annotation: SolidAnnotation, name: string) =>
  annotation.measured.find((one) => one.name === name)?.value;

describe('solids', () => {
  it('a sphere: dragged from its middle, measured in closed form and by its voxels', () => {
    const book = new AnnotationBook();
    draw(stage(book), sphere, { x: 20.5, y: 20.5 }, { x: 20.5, y: 28.5 });
    const [made] = book.all.value as readonly SolidAnnotation[];
    expect(made).toMatchObject({ kind: 'sphere', points: [[20, 20, 20]], radius: 8, instance: null });
    expect(figureOf(made, 'volume')).toBeCloseTo((4 / 3) * Math.PI * 512);
    expect([figureOf(made, 'min'), figureOf(made, 'max')]).toEqual([7, 107]);
    expect(figureOf(made, 'mean')).toBeGreaterThan(57); // x = 20 itself is bright
    expect(figureOf(made, 'mean')).toBeLessThan(63);
  });

  it('a cuboid: as wide and high as the drag, as deep as their mean', () => {
    const book = new AnnotationBook();
    draw(stage(book), cuboid, { x: 10.5, y: 20.5 }, { x: 16.5, y: 24.5 });
    const [made] = book.all.value as readonly SolidAnnotation[];
    expect(made.points).toEqual([
      [10, 20, 20],
      [6, 0, 0],
      [0, 4, 0],
      [0, 0, 5],
    ]);
    expect(figureOf(made, 'volume')).toBeCloseTo(8 * 6 * 4 * 5);
    expect([figureOf(made, 'min'), figureOf(made, 'max'), figureOf(made, 'sd')]).toEqual([7, 7, 0]);
  });

  it('is taken by its middle and by its rim, on any plane', () => {
    const book = new AnnotationBook();
    draw(stage(book), sphere, { x: 20.5, y: 20.5 }, { x: 20.5, y: 50.5 });
    draw(stage(book), sphere, { x: 20.5, y: 20.5 }, { x: 25.5, y: 20.5 });
    expect(book.all.value).toHaveLength(1);
    expect(book.all.value[0]).toMatchObject({ points: [[25, 20, 20]], radius: 30 });
    const coronal: Plane = { origin: [0, 20, 0], right: [1, 0, 0], down: [0, 0, -1], spacing: [1, 1] };
    draw(stage(book, coronal), sphere, { x: 55.5, y: -19.5 }, { x: 40.5, y: -19.5 });
    expect(book.all.value[0]).toMatchObject({ points: [[25, 20, 20]], radius: 15 });
    book.undo();
    expect(book.all.value[0]).toMatchObject({ radius: 30 });
  });

  it('has no values where the volume is not all there, and a volume still', () => {
    const volume = block();
    volume.quality[20] = 32;
    const book = new AnnotationBook();
    draw(stage(book, axial, volume), sphere, { x: 20.5, y: 20.5 }, { x: 20.5, y: 25.5 });
    expect(book.all.value[0].measured.map(({ name }) => name)).toEqual(['volume']);
  });

  it('a tap, a picture without a volume, and a full book make none', () => {
    const book = new AnnotationBook();
    draw(stage(book), sphere, { x: 20, y: 20 }, { x: 21, y: 21 });
    expect(book.all.value).toEqual([]);
    expect(sphere.start({ ...stage(book), volume: null }, { x: 1, y: 1 })).toBeNull();
  });

  it('faces of a cuboid move alone, and a plane that passes by shows nothing', () => {
    const box = {
      kind: 'cuboid',
      centre: [0, 0, 0],
      axes: [
        [5, 0, 0],
        [0, 6, 0],
        [0, 0, 7],
      ],
    } as const;
    const face = { part: 'face', axis: 1, sign: -1 } as const;
    expect(dragged(box, face, [0, -6, 0], [9, -3, 0])).toMatchObject({
      axes: [
        [5, 0, 0],
        [0, 3, 0],
        [0, 0, 7],
      ],
    });
    expect(sectionOf(box, { ...axial, origin: [0, 0, 8] })).toBeNull();
    const section = sectionOf(box, { ...axial, origin: [0, 0, 0] });
    if (!section) throw new Error('the plane cuts the box');
    expect(section.outline).toHaveLength(4);
    const project = ([x, y]: readonly [number, number, number]) => ({ x: 10 * x, y: 10 * y });
    expect(gripAt(section, { x: 52, y: 3 }, project, 22)).toEqual({ part: 'face', axis: 0, sign: 1 });
    expect(gripAt(section, { x: 500, y: 3 }, project, 22)).toBeNull();
  });
});
