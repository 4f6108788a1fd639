/** What a reader draws on a film: the same JSON on the page, in a live room and in the exam's record. */

import type { ImagePoint, PatientPoint, Vector } from '../math/coordinates';

export const ANNOTATION_KINDS = [
  'text',
  'arrow',
  'length',
  'angle',
  'cobb',
  'probe',
  'freehand',
  'rectangle',
  'ellipse',
  'sphere',
  'cuboid',
] as const;
export type AnnotationKind = (typeof ANNOTATION_KINDS)[number];

export interface Measured {
  readonly name:
    | 'length'
    | 'angle'
    | 'area'
    | 'volume'
    | 'perimeter'
    | 'mean'
    | 'sd'
    | 'min'
    | 'max'
    | 'value';
  readonly value: number;
  /** mm, px, deg, mm2, px2, mm3, or the unit of the values (HU …). */
  readonly unit: string;
}

interface Common {
  readonly uid: string;
  /** Series instance UID. */
  readonly series: string;
  readonly text: string;
  /** Where the label stands when it was moved; `null`: beside the shape. */
  readonly label: ImagePoint | null;
  readonly measured: readonly Measured[];
  readonly author: string;
  /** Grows with every change; of two versions the higher one counts. */
  readonly revision: number;
  readonly created_at: string;
}

/** Lies on one frame: SOP instance UID and frame from 1. */
export interface FlatAnnotation extends Common {
  readonly kind: Exclude<AnnotationKind, 'sphere' | 'cuboid'>;
  readonly instance: string;
  readonly frame: number;
  /** Image points as pairs [x, y]. */
  readonly points: readonly (readonly [number, number])[];
  readonly radius: null;
}

/** Lies in the frame of reference of its series: a sphere of `radius` mm, or a cuboid of centre and three half axes. */
export interface SolidAnnotation extends Common {
  readonly kind: 'sphere' | 'cuboid';
  readonly instance: null;
  readonly frame: null;
  readonly points: readonly [PatientPoint, ...Vector[]];
  readonly radius: number | null;
}

export type Annotation = FlatAnnotation | SolidAnnotation;
