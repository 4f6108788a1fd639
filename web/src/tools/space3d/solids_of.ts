/** Annotations ↔ solids, and what is measured of them. */

import type { Measured, SolidAnnotation } from '../../dicom/annotation';
import type { Vector } from '../../math/coordinates';
import type { Solid } from '../../volume/solids';
import { statisticsOf } from '../../volume/statistics';
import type { VolumeData } from '../../volume/volume';
import { newUid } from '../measure/uid';

export function solidOf({ kind, points, radius }: SolidAnnotation): Solid {
  const [centre, a, b, c] = points;
  if (kind === 'sphere') return { kind, centre, radius: radius ?? 0 };
  return { kind, centre, axes: [a as Vector, b as Vector, c as Vector] };
}

/** A new annotation of a series, not measured yet. */
export function annotationOf(series: string, solid: Solid): SolidAnnotation {
  return {
    uid: newUid(),
    series,
    instance: null,
    frame: null,
    text: '',
    label: null,
    measured: [],
    author: '',
    revision: 1,
    created_at: new Date().toISOString(),
    ...shapeOf(solid),
  };
}

/** The fields of an annotation that say where the solid is. */
export function shapeOf(solid: Solid): Pick<SolidAnnotation, 'kind' | 'points' | 'radius'> {
  if (solid.kind === 'sphere') return { kind: 'sphere', points: [solid.centre], radius: solid.radius };
  return { kind: 'cuboid', points: [solid.centre, ...solid.axes], radius: null };
}

/** Its volume, and the values of the voxels inside, as long as all of them are there as they were taken. */
export function measure(volume: VolumeData, solid: Solid): readonly Measured[] {
  const { volume_mm3, values, isComplete } = statisticsOf(volume, solid);
  const size: Measured = { name: 'volume', value: volume_mm3, unit: 'mm3' };
  if (!values || !isComplete) return [size];
  const { unit } = volume;
  return [
    size,
    { name: 'mean', value: values.mean, unit },
    { name: 'sd', value: values.sd, unit },
    { name: 'min', value: values.min, unit },
    { name: 'max', value: values.max, unit },
  ];
}
