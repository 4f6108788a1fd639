/** Annotations as small as a test needs them. */

import type { FlatAnnotation, SolidAnnotation } from '../../src/dicom/annotation';

export function lengthOf(uid: string, other: Partial<FlatAnnotation> = {}): FlatAnnotation {
  return {
    uid,
    kind: 'length',
    series: '1.2',
    instance: '1.2.3',
    frame: 1,
    points: [
      [1, 1],
      [4, 5],
    ],
    radius: null,
    text: '',
    label: null,
    measured: [{ name: 'length', value: 5, unit: 'mm' }],
    author: '',
    revision: 1,
    created_at: '2026-01-01T00:00:00Z',
    ...other,
  };
}

export function sphere(uid: string): SolidAnnotation {
  const { instance: _, frame: __, ...common } = lengthOf(uid);
  return { ...common, kind: 'sphere', instance: null, frame: null, points: [[0, 0, 0]], radius: 5 };
}
