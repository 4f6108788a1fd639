/** Frames of a series → the largest stack of parallel slices in it. */

import { planeOf } from '../dicom/frame_plane';
import type { FrameInfo, SeriesInfo } from '../dicom/manifest';
import type { Vector } from '../math/coordinates';
import { normalOf } from '../math/plane';
import { dot, length } from '../math/vector';
import { VolumeRefused } from './refusal';
import { isGreyFrame } from './sample_scale';

export interface Slice {
  /** Index into the frames of the series. */
  readonly index: number;
  readonly frame: FrameInfo;
  /** mm along the normal of the stack. */
  readonly along: number;
}

export interface Stack {
  readonly normal: Vector;
  /** By growing `along`, no two at one place. */
  readonly slices: readonly Slice[];
}

const SAME_PLACE_MM = 0.01;
const LEAST_SLICES = 3;
const LEAST_RIGHT_ANGLE = 0.99; // sine between rows and columns: 82°; less is no picture of a body

/** Raises `VolumeRefused`. */
export function largestStack(series: SeriesInfo): Stack {
  const indexes = series.frames.flatMap((frame, index) => (hasPlace(frame) ? [index] : []));
  if (indexes.length === 0) throw new VolumeRefused('no_place');
  const grey = indexes.filter((index) => isGreyFrame(series.frames[index]));
  if (grey.length === 0) throw new VolumeRefused('colour');
  const [alike] = groupsOf(grey, (index) => shapeOf(series.frames[index]));
  const stack = apart(placed(series, largestDirection(series, alike)));
  if (stack.slices.length < LEAST_SLICES) throw new VolumeRefused('too_few', stack.slices.length);
  return stack;
}

function hasPlace(frame: FrameInfo): boolean {
  const plane = planeOf(frame);
  if (!plane) return false;
  const numbers = [...plane.origin, ...plane.spacing, ...normalOf(plane)];
  const isSound = numbers.every(Number.isFinite) && plane.spacing.every((mm) => mm > 0);
  return isSound && length(normalOf(plane)) > LEAST_RIGHT_ANGLE;
}

/** Groups by `key`, the largest first, of equal ones the earlier. */
function groupsOf<Item>(items: readonly Item[], key: (item: Item) => string): readonly (readonly Item[])[] {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const name = key(item);
    const group = groups.get(name);
    if (group) group.push(item);
    else groups.set(name, [item]);
  }
  return [...groups.values()].sort((a, b) => b.length - a.length);
}

/** What must be equal in all slices of a volume. */
function shapeOf(frame: FrameInfo): string {
  const spacing = frame.spacing?.map((mm) => mm.toFixed(4));
  return JSON.stringify([frame.rows, frame.columns, frame.photometric, frame.unit, spacing]);
}

const SAME_COSINE = 2e-3; // 0.1°: cosines are written with noise
const MOST_DIRECTIONS = 64; // radial scans have a few dozen; beyond that nothing is a stack

/** The frames of the direction that has the most of them. */
function largestDirection(series: SeriesInfo, indexes: readonly number[]): readonly number[] {
  const leaders: { readonly cosines: readonly number[]; readonly members: number[] }[] = [];
  for (const index of indexes) {
    const cosines = series.frames[index].orientation ?? [];
    const own = leaders.find((leader) =>
      leader.cosines.every((share, i) => Math.abs(share - cosines[i]) < SAME_COSINE),
    );
    if (own) own.members.push(index);
    else if (leaders.length < MOST_DIRECTIONS) leaders.push({ cosines, members: [index] });
  }
  return leaders.reduce((a, b) => (b.members.length > a.members.length ? b : a)).members;
}

function placed(series: SeriesInfo, indexes: readonly number[]): Stack {
  const plane = planeOf(series.frames[indexes[0]]);
  if (!plane) throw new VolumeRefused('no_place');
  const normal = normalOf(plane);
  const slices = indexes.map((index) => {
    const frame = series.frames[index];
    return { index, frame, along: dot(frame.position as Vector, normal) };
  });
  return { normal, slices };
}

/**
 * One slice of each place. Where every place was taken equally often (b-values, echoes, phases), the first of each in
 * the order of the series is one acquisition; kinds of picture (PS3.3 C.7.6.1.1.2) are told apart before that.
 * Raises `VolumeRefused('duplicates')` where nothing says which picture of a place belongs to which other.
 */
function apart({ normal, slices }: Stack): Stack {
  if (timesOfPlaces(slices).every((place) => place.length === 1)) return { normal, slices: ordered(slices) };
  const [kind] = groupsOf(slices, ({ frame }) => frame.image_type.join('\\'));
  const places = timesOfPlaces(kind);
  const isEven = places.every((place) => place.length === places[0].length);
  if (!isEven) throw new VolumeRefused('duplicates', kind.length - places.length);
  return { normal, slices: places.map((place) => place.reduce((a, b) => (a.index <= b.index ? a : b))) };
}

/** The slices of each place, places by growing `along`. */
function timesOfPlaces(slices: readonly Slice[]): readonly (readonly Slice[])[] {
  const places: Slice[][] = [];
  for (const slice of ordered(slices)) {
    const last = places.at(-1);
    if (last && slice.along - last[0].along < SAME_PLACE_MM) last.push(slice);
    else places.push([slice]);
  }
  return places;
}

function ordered(slices: readonly Slice[]): readonly Slice[] {
  return [...slices].sort((a, b) => a.along - b.along || a.index - b.index);
}
