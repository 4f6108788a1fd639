/** Series of slices and volumes as small as a test needs them. */

import type { FrameInfo, SeriesInfo } from '../../src/dicom/manifest';
import type { SampleArray } from '../../src/dicom/samples';
import type { Vector } from '../../src/math/coordinates';
import { affineOf, inverseOf } from '../../src/volume/affine';
import { FULL, type VolumeData } from '../../src/volume/volume';
import { frameInfo, seriesOf } from '../samples';

/** Axial slices at these positions, 8 × 6 pixels of 1 × 2 mm. */
export function slicesAt(
  zs: readonly number[],
  other: (z: number, i: number) => Partial<FrameInfo> = () => ({}),
) {
  const frames = zs.map((z, i) =>
    frameInfo({
      columns: 8,
      rows: 6,
      spacing: [2, 1],
      spacing_kind: 'patient',
      position: [10, 20, z],
      orientation: [1, 0, 0, 0, 1, 0],
      intercept: -1024,
      signed: false,
      bits_stored: 12,
      unit: 'HU',
      number: i + 1,
      ...other(z, i),
    }),
  );
  return seriesOf(frames);
}

export function range(count: number, step = 1, first = 0): readonly number[] {
  return Array.from({ length: count }, (_, i) => first + i * step);
}

export interface VolumeShape {
  readonly size: readonly [number, number, number];
  readonly x?: Vector;
  readonly y?: Vector;
  readonly z?: Vector;
  readonly origin?: Vector;
}

/** A volume with `value(x, y, z)` in every voxel, slope 1. */
export function volumeOf(
  { size, x = [1, 0, 0], y = [0, 1, 0], z = [0, 0, 1], origin = [0, 0, 0] }: VolumeShape,
  value: (x: number, y: number, z: number) => number,
): VolumeData {
  const data: SampleArray = new Int16Array(size[0] * size[1] * size[2]);
  let at = 0;
  for (let k = 0; k < size[2]; k++)
    for (let j = 0; j < size[1]; j++) for (let i = 0; i < size[0]; i++) data[at++] = value(i, j, k);
  const toPatient = affineOf(x, y, z, origin);
  return {
    series: '1.2',
    frame_of_reference: '1.9',
    size,
    data,
    slope: 1,
    intercept: 0,
    unit: 'HU',
    toPatient,
    toVoxel: inverseOf(toPatient),
    outside: -1024,
    quality: new Uint8Array(size[2]).fill(FULL),
    template: frameInfo({ unit: 'HU' }),
  };
}

export type { SeriesInfo };
