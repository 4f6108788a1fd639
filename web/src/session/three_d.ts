/** Three dimensions: volumes brought once a series, cuts through them for cells, the layouts of MPR (E17, K3). Lazy. */

import { batch, signal } from '@preact/signals';
import { spaceOf } from '../dicom/space';
import { FilmFault } from '../faults';
import type { CoarseFrame } from '../frames/protocol';
import { clamp, type PatientPoint, type Vector } from '../math/coordinates';
import { add, cross, dot, scale, subtract } from '../math/vector';
import { registerTools, toolById } from '../tools/registry';
import type { Tool } from '../tools/tool';
import type { Picture } from '../viewport/image_viewport';
import type { VolumePlan } from '../volume/plan';
import type { VolumeNotice } from '../volume/refusal';
import type { VolumeData } from '../volume/volume';
import type { Cell } from './cell';
import type { Blend, Cut } from './content';
import type { FilmSession } from './film_session';
import type { CutSource } from './volumes';

type VolumeModule = typeof import('./volume_module');

/** A volume that is there or on its way. */
export interface OpenVolume {
  readonly plan: VolumePlan;
  readonly data: VolumeData;
  readonly notices: readonly VolumeNotice[];
}

export interface VolumeProgress {
  readonly full: number;
  readonly total: number;
  /** Slices that could not be brought. */
  readonly failed: number;
}

/** Directions of rows and columns of the three standard planes: from the feet, from the front, from the left (radiological). */
const PLANES: Record<'axial' | 'coronal' | 'sagittal', readonly [Vector, Vector]> = {
  axial: [
    [1, 0, 0],
    [0, 1, 0],
  ],
  coronal: [
    [1, 0, 0],
    [0, 0, -1],
  ],
  sagittal: [
    [0, 1, 0],
    [0, 0, -1],
  ],
};
export type PlaneName = keyof typeof PLANES;
export const PLANE_NAMES = Object.keys(PLANES) as readonly PlaneName[];

const MOST_PIXELS = 768; // of a cut in each direction: more than a cell of a PC shows, and 8 ms to make
const SLICE_PRIORITY = 3; // after what is on screen and its neighbours

export class ThreeD implements CutSource {
  /** Of the series that is brought now. */
  readonly progress = signal<VolumeProgress | null>(null);
  readonly notices = signal<readonly VolumeNotice[]>([]);
  /** Spheres and cuboids, once they are there. */
  readonly tools = signal<readonly Tool[]>([]);
  /** Grows whenever a volume has more in it. */
  readonly version = signal(0);

  private module: VolumeModule | null = null;
  private readonly volumes = new Map<number, OpenVolume>();
  private abort: AbortController | null = null;
  private isRefreshing = false;

  constructor(private readonly film: FilmSession) {}

  /** What draws spheres and cuboids; `null` before the first volume. */
  get drawSolids(): VolumeModule['drawSolids'] | null {
    return this.module?.drawSolids ?? null;
  }

  /** The part of the viewer that renders did not come. */
  blame(cell: Cell): void {
    cell.fault.value = new FilmFault('network', 'the part of the viewer that renders volumes did not come');
  }

  volumeOf(series: number): VolumeData | null {
    return this.volumes.get(series)?.data ?? null;
  }

  cut(series: number, cut: Cut): Picture | null {
    const open = this.volumes.get(series);
    if (!open || !this.module) return null;
    const made = this.module.reslice(open.data, {
      ...this.fieldOf(open.data, cut),
      ...cut,
      centre: this.middleOn(open.data, cut),
    });
    const decoded = { ...made.decoded, resolution: this.module.resolutionOf(open.data) };
    const frame = { ...made.frame, instance: nameOf(cut) };
    return { series: this.film.series[series], frame, decoded };
  }

  /** Lays out the three planes of a series, and its volume in the fourth cell. Raises `FilmFault` in words of the cell. */
  async openMpr(series: number): Promise<void> {
    const volume = await this.open(series, this.film.active.peek());
    if (!volume || !this.module) return;
    const centre = this.module.middleOf(volume.data);
    this.film.setLayout({ rows: 2, columns: 2, mode: 'stack' });
    const cells = this.film.cells.peek();
    batch(() => {
      PLANE_NAMES.forEach((name, i) => {
        cells[i].showCut(series, planeCut(name, centre));
      });
      cells[3].holdVolume(series);
      this.film.point.value = { at: centre, space: spaceOf(this.film.series[series]) };
    });
  }

  /** The volume alone in the active cell. */
  async openVolume(series: number): Promise<void> {
    const cell = this.film.active.peek();
    if (await this.open(series, cell)) cell.holdVolume(series);
  }

  /** Back to the slices as they were taken. */
  close(): void {
    const lead = this.film.active.peek();
    const content = lead.content.peek();
    const series = content.kind === 'empty' ? 0 : content.series;
    this.abort?.abort();
    this.abort = null;
    this.volumes.clear();
    this.film.setLayout({ rows: 1, columns: 1, mode: 'stack' });
    this.film.point.value = null;
    this.progress.value = null;
    void lead.goto({ series, frame: Math.floor(this.film.series[series].frames.length / 2) });
  }

  /** Scrolls a cut along its normal by so many slices. */
  stepCut(cell: Cell, slices: number): void {
    const content = cell.content.peek();
    if (content.kind !== 'mpr') return;
    const { cut } = content;
    const { index, count } = this.placeOf(cell);
    const steps = clamp(index + slices, 0, count - 1) - index;
    if (steps === 0) return;
    const by = scale(cross(cut.right, cut.down), steps * this.stepOf(content.series, cut));
    this.moveTo(cell, add(cut.centre, by) as PatientPoint);
  }

  /** Place of a cut in its volume: index and count of slices, as for a stack. */
  placeOf(cell: Cell): { readonly index: number; readonly count: number } {
    const content = cell.content.peek();
    const volume = content.kind === 'mpr' && this.volumes.get(content.series);
    if (content.kind !== 'mpr' || !volume || !this.module) return { index: 0, count: 1 };
    const { cut, series } = content;
    const normal = cross(cut.right, cut.down);
    const depths = this.module.cornersOf(volume.data).map((corner) => dot(corner, normal));
    const step = this.stepOf(series, cut);
    const [low, high] = [Math.min(...depths), Math.max(...depths)];
    const count = Math.max(1, Math.round((high - low) / step));
    return { index: clamp(Math.round((dot(cut.centre, normal) - low) / step), 0, count - 1), count };
  }

  /** Changes thickness and blending of every cut. */
  setSlab(slab_mm: number, blend: Blend): void {
    for (const cell of this.film.cells.peek()) {
      const content = cell.content.peek();
      if (content.kind === 'mpr') cell.showCut(content.series, { ...content.cut, slab_mm, blend });
    }
  }

  /** Turns the plane of a cell around its own axes by degrees: an oblique cut through the same point. */
  tilt(cell: Cell, aroundRight: number, aroundDown: number): void {
    const content = cell.content.peek();
    if (content.kind !== 'mpr') return;
    const { right, down } = content.cut;
    const tiltedDown = turned(down, right, aroundRight);
    const tiltedRight = turned(right, tiltedDown, aroundDown);
    cell.showCut(content.series, { ...content.cut, right: tiltedRight, down: tiltedDown });
  }

  /** Back to one of the standard planes, through the same point. */
  straighten(cell: Cell, name: PlaneName): void {
    const content = cell.content.peek();
    if (content.kind !== 'mpr') return;
    const [right, down] = PLANES[name];
    cell.showCut(content.series, { ...content.cut, right, down });
  }

  moveTo(cell: Cell, centre: PatientPoint): void {
    const content = cell.content.peek();
    if (content.kind !== 'mpr') return;
    cell.showCut(content.series, { ...content.cut, centre });
    this.film.goToPoint(cell, centre);
  }

  /** Holds a volume in a cell, bringing it when it is not there. */
  async showVolume(cell: Cell, series: number): Promise<void> {
    cell.holdVolume(series);
    await this.open(series, cell);
  }

  /** Shows a cut that came from elsewhere (a live room), bringing its volume when it is not there. */
  async showCut(cell: Cell, series: number, cut: Cut): Promise<void> {
    cell.showCut(series, cut);
    if (await this.open(series, cell)) cell.refreshCut();
  }

  /** The volume of a series; what stands in its way is said in `cell`. */
  private async open(series: number, cell: Cell): Promise<OpenVolume | null> {
    const known = this.volumes.get(series);
    if (known) return known;
    try {
      this.module ??= await this.load();
      const plan = this.module.planVolume(this.film.series[series], budget());
      const open = { plan, data: this.module.emptyVolume(plan), notices: plan.notices };
      this.volumes.clear(); // one at a time: a volume is the largest thing on a phone
      this.volumes.set(series, open);
      this.notices.value = plan.notices;
      void this.fill(series, open);
      return open;
    } catch (error) {
      cell.fault.value = error instanceof FilmFault ? error : new FilmFault('network', String(error));
      return null;
    }
  }

  private async load(): Promise<VolumeModule> {
    const module = await import('./volume_module');
    if (!toolById(module.SOLID_TOOLS[0].id)) registerTools(module.SOLID_TOOLS);
    this.tools.value = module.SOLID_TOOLS;
    return module;
  }

  private async fill(series: number, { plan, data }: OpenVolume): Promise<void> {
    if (!this.module) return;
    this.abort?.abort();
    const abort = new AbortController();
    this.abort = abort;
    const { frames } = this.film;
    const coarse = frames.coarse(series);
    const low = async (take: (index: number, frame: CoarseFrame) => void): Promise<void> => {
      const hand = (): void => {
        for (const frame of coarse.frames) if (frame) take(frame.index, frame);
      };
      await coarse.small;
      hand();
      await coarse.complete;
      hand();
    };
    const filled = this.module.fillVolume(
      plan,
      data,
      { low, frame: (index) => frames.get({ series, frame: index }, SLICE_PRIORITY) },
      {
        signal: abort.signal,
        eye: () => this.sliceOfPoint(data),
        onProgress: ({ full, total, failed }) => {
          this.progress.value = { full, total, failed };
          this.refresh();
        },
      },
    );
    await filled.catch((error) => {
      if (abort.signal.aborted) return;
      const fault = error instanceof FilmFault ? error : new FilmFault('damaged', String(error));
      for (const cell of this.film.cells.peek())
        if (cell.content.peek().kind === 'mpr') cell.fault.value = fault;
    });
  }

  /** The slice through the point that the reader looks at; the middle one before there is a point. */
  private sliceOfPoint({ size, toVoxel }: VolumeData): number {
    const point = this.film.point.peek();
    if (!point || !this.module) return Math.floor(size[2] / 2);
    return this.module.mapPoint(toVoxel, point.at)[2];
  }

  /** Makes the cuts anew, at most once per animation frame. */
  private refresh(): void {
    if (this.isRefreshing) return;
    this.isRefreshing = true;
    requestAnimationFrame(() => {
      this.isRefreshing = false;
      this.version.value++;
      for (const cell of this.film.cells.peek()) cell.refreshCut();
    });
  }

  private stepOf(series: number, cut: Cut): number {
    const volume = this.volumes.get(series);
    if (!volume || !this.module) return 1;
    const spacing = this.module.spacingOf(volume.data);
    const normal = cross(cut.right, cut.down);
    // the voxel's extent along the normal, for patient-aligned stacks simply the slice spacing
    const axes = [0, 1, 2].map((i) => Math.abs(dot(axisOf(volume.data, i), normal)) * spacing[i]);
    return Math.max(...axes, Math.min(...spacing) / 2);
  }

  /** Pixels of a cut: the whole volume as seen from the normal, at its finest spacing. */
  private fieldOf(
    data: VolumeData,
    cut: Cut,
  ): { columns: number; rows: number; spacing: readonly [number, number] } {
    if (!this.module) throw new Error('no volume is open');
    const corners = this.module.cornersOf(data);
    const extent = (direction: Vector): number => {
      const depths = corners.map((corner) => dot(corner, direction));
      return Math.max(...depths) - Math.min(...depths);
    };
    const [width, height] = [extent(cut.right), extent(cut.down)];
    const finest = Math.max(Math.min(...this.module.spacingOf(data)), Math.max(width, height) / MOST_PIXELS);
    const count = (mm: number): number => clamp(Math.ceil(mm / finest), 1, MOST_PIXELS);
    return { columns: count(width), rows: count(height), spacing: [finest, finest] };
  }

  /** The middle of the picture: that of the volume, brought into the plane of the cut, so that pictures stand still. */
  private middleOn(data: VolumeData, { centre, right, down }: Cut): PatientPoint {
    if (!this.module) return centre;
    const middle = this.module.middleOf(data);
    const normal = cross(right, down);
    return add(middle, scale(normal, dot(subtract(centre, middle), normal))) as PatientPoint;
  }
}

export function planeCut(name: PlaneName, centre: PatientPoint): Cut {
  const [right, down] = PLANES[name];
  return { centre, right, down, slab_mm: 0, blend: 'mean' };
}

/** Bytes that a volume may take: a phone's page is ended by its system when it grows beyond some hundred megabytes. */
function budget(): number {
  const gigabytes =
    (navigator as { deviceMemory?: number }).deviceMemory ??
    (matchMedia('(pointer: coarse)').matches ? 2 : 8);
  return gigabytes >= 8 ? 800e6 : gigabytes >= 4 ? 300e6 : 150e6;
}

/** What is measured on a cut belongs to its plane: a name by direction (hundredths) and depth (tenths of a millimetre). */
function nameOf({ centre, right, down, slab_mm, blend }: Cut): string {
  const parts = [...right, ...down].map((n) => Math.round(100 * n));
  const depth = Math.round(10 * dot(centre, cross(right, down)));
  return ['mpr', ...parts, depth, ...(slab_mm > 0 ? [blend, Math.round(slab_mm)] : [])].join('.');
}

function axisOf({ toPatient: m }: VolumeData, axis: number): Vector {
  const along: Vector = [m[4 * axis], m[4 * axis + 1], m[4 * axis + 2]];
  const size = Math.hypot(...along) || 1;
  return [along[0] / size, along[1] / size, along[2] / size];
}

/** `v` turned around the unit vector `axis` (Rodrigues' formula). */
function turned(v: Vector, axis: Vector, degrees: number): Vector {
  const angle = (degrees * Math.PI) / 180;
  const along = scale(axis, dot(axis, v) * (1 - Math.cos(angle)));
  return add(add(scale(v, Math.cos(angle)), scale(cross(axis, v), Math.sin(angle))), along);
}
