/** A plane or slab through a volume as a picture like any other: window, zoom, measuring and letters work on it. Pure. */

import type { FrameInfo } from '../dicom/manifest';
import type { SampleArray } from '../dicom/samples';
import type { DecodedFrame } from '../frames/protocol';
import type { PatientPoint, Vector } from '../math/coordinates';
import { add, cross, scale, subtract } from '../math/vector';
import { mapPoint, mapVector } from './affine';
import { sampleRow } from './sampling';
import type { VolumeData } from './volume';

export type Blend = 'mean' | 'max' | 'min';

export interface SliceRequest {
  /** What stands in the middle of the picture. */
  readonly centre: PatientPoint;
  /** Unit vectors along rows and columns, at a right angle. */
  readonly right: Vector;
  readonly down: Vector;
  readonly columns: number;
  readonly rows: number;
  /** Row spacing (downwards) and column spacing, mm. */
  readonly spacing: readonly [number, number];
  /** Thickness; 0 for the plane alone. What lies outside the volume does not count in a slab. */
  readonly slab_mm: number;
  readonly blend: Blend;
}

/** A picture without a place in the series. */
export interface CutPicture {
  readonly frame: FrameInfo;
  readonly decoded: DecodedFrame;
}

export const MOST_PIXELS = 1024;
const MOST_SAMPLES = 512; // along a slab; 250 mm of half millimetres

/** Raises `RangeError` for a picture without pixels or above `MOST_PIXELS` in a direction. */
export function reslice(volume: VolumeData, request: SliceRequest): CutPicture {
  const { columns, rows, right, down, spacing } = request;
  const isPossible = [columns, rows].every((n) => Number.isInteger(n) && n > 0 && n <= MOST_PIXELS);
  if (!isPossible) throw new RangeError(`a cut of ${columns} × ${rows} pixels is not made`);
  const origin = originOf(request);
  const picture = pictureOf(volume, columns, rows);
  const start = mapPoint(volume.toVoxel, origin);
  const across = mapVector(volume.toVoxel, scale(right, spacing[1]));
  const along = mapVector(volume.toVoxel, scale(down, spacing[0]));
  const depth = depthsOf(volume, request);
  if (depth.count === 1) cutPlane(volume, picture, start, across, along);
  else cutSlab(volume, picture, add(start, depth.first), across, along, depth, request.blend);
  const frame = frameOf(volume, picture, {
    position: origin,
    orientation: [...right, ...down],
    spacing,
    spacing_kind: 'patient',
  });
  return { frame, decoded: decodedOf(volume, picture) };
}

/** The plane's samples along the slab: evenly from face to face, about one per voxel. */
export function slabSamples(volume: VolumeData, normal: Vector, slab_mm: number): number {
  const perMm = mapVector(volume.toVoxel, normal);
  const voxels = Math.max(...perMm.map(Math.abs)) * slab_mm;
  return slab_mm > 0 ? Math.min(Math.max(2, Math.round(voxels) + 1), MOST_SAMPLES) : 1;
}

interface Depths {
  readonly count: number;
  /** From the middle to the first sample, and from each to the next, in voxels. */
  readonly first: Vector;
  readonly step: Vector;
}

function depthsOf(volume: VolumeData, { right, down, slab_mm }: SliceRequest): Depths {
  const normal = cross(right, down);
  const count = slabSamples(volume, normal, slab_mm);
  const whole = mapVector(volume.toVoxel, scale(normal, slab_mm));
  return { count, first: scale(whole, -0.5), step: scale(whole, 1 / Math.max(count - 1, 1)) };
}

function originOf({ centre, right, down, columns, rows, spacing }: SliceRequest): PatientPoint {
  const half = add(
    scale(right, ((columns - 1) / 2) * spacing[1]),
    scale(down, ((rows - 1) / 2) * spacing[0]),
  );
  return subtract(centre, half) as PatientPoint;
}

interface Pixels {
  readonly columns: number;
  readonly rows: number;
  readonly data: SampleArray;
}

function pictureOf(volume: VolumeData, columns: number, rows: number): Pixels {
  const Kind = volume.data.constructor as new (count: number) => SampleArray;
  const data = new Kind(columns * rows);
  if (volume.outside !== 0) data.fill(volume.outside);
  return { columns, rows, data };
}

function cutPlane(
  volume: VolumeData,
  { columns, rows, data }: Pixels,
  start: Vector,
  across: Vector,
  along: Vector,
): void {
  const line = new Float32Array(columns);
  for (let r = 0; r < rows; r++) {
    const { from, to } = sampleRow(volume, add(start, scale(along, r)), across, line);
    for (let c = from, i = r * columns + from; c < to; c++) data[i++] = Math.floor(line[c] + 0.5);
  }
}

function cutSlab(
  volume: VolumeData,
  { columns, rows, data }: Pixels,
  first: Vector,
  across: Vector,
  along: Vector,
  depth: Depths,
  blend: Blend,
): void {
  const line = new Float32Array(columns);
  const joined = new Float32Array(columns);
  const counts = new Uint16Array(columns);
  // the greatest value is the smallest stored one where the slope is negative
  const join = blend === 'mean' ? addUp : (blend === 'max') === volume.slope >= 0 ? keepMax : keepMin;
  for (let r = 0; r < rows; r++) {
    counts.fill(0);
    for (let s = 0; s < depth.count; s++) {
      const start = add(add(first, scale(along, r)), scale(depth.step, s));
      const { from, to } = sampleRow(volume, start, across, line);
      join(joined, line, counts, from, to);
    }
    for (let c = 0, i = r * columns; c < columns; c++, i++) {
      if (counts[c] === 0) continue;
      data[i] = Math.floor((blend === 'mean' ? joined[c] / counts[c] : joined[c]) + 0.5);
    }
  }
}

type Join = (joined: Float32Array, line: Float32Array, counts: Uint16Array, from: number, to: number) => void;

const addUp: Join = (joined, line, counts, from, to) => {
  for (let c = from; c < to; c++) joined[c] = counts[c]++ === 0 ? line[c] : joined[c] + line[c];
};
const keepMax: Join = (joined, line, counts, from, to) => {
  for (let c = from; c < to; c++) if (counts[c]++ === 0 || line[c] > joined[c]) joined[c] = line[c];
};
const keepMin: Join = (joined, line, counts, from, to) => {
  for (let c = from; c < to; c++) if (counts[c]++ === 0 || line[c] < joined[c]) joined[c] = line[c];
};

type Place = Pick<FrameInfo, 'position' | 'spacing' | 'spacing_kind'> & {
  readonly orientation: readonly number[] | null;
};

function frameOf(volume: VolumeData, { columns, rows, data }: Pixels, place: Place): FrameInfo {
  const bits = data.BYTES_PER_ELEMENT * 8;
  return {
    ...volume.template,
    rows,
    columns,
    samples: 1,
    bits_allocated: bits,
    bits_stored: bits,
    signed: data instanceof Int16Array || data instanceof Int32Array,
    slope: volume.slope,
    intercept: volume.intercept,
    modality_lut: null, // the voxels hold output units already
    position: place.position,
    orientation: place.orientation as FrameInfo['orientation'],
    spacing: place.spacing,
    spacing_kind: place.spacing_kind,
    patient_orientation: null,
    regions: null,
    image_type: ['DERIVED', 'SECONDARY', 'MPR'],
    instance: '',
    number: null,
    levels: null,
    lossy: null,
  };
}

function decodedOf(volume: VolumeData, { data }: Pixels): DecodedFrame {
  return { data, photometric: volume.template.photometric, resolution: 'full', fetched: 0 };
}
