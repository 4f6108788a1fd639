/** Annotations that came from outside (server, live room, another window): only what is sound gets in. Pure. */

import {
  ANNOTATION_KINDS,
  type Annotation,
  type AnnotationKind,
  type Measured,
} from '../../dicom/annotation';
import type { ImagePoint } from '../../math/coordinates';

/** As many as an exam keeps. */
export const MOST_ANNOTATIONS = 500;
export const MOST_POINTS = 2000;
export const LONGEST_TEXT = 500;
const MOST_MEASURED = 16;
const LONGEST_UNIT = 16;
const FARTHEST = 1e6; // pixels or mm: far beyond any image, and no number that breaks arithmetic
const MOST_REVISIONS = 2 ** 31 - 1;
const UID = /^[0-9A-Za-z._-]{1,64}$/;

/** How many points a finished annotation of each kind has, at least and at most. */
const POINTS: Record<AnnotationKind, readonly [number, number]> = {
  text: [1, 1],
  arrow: [2, 2],
  length: [2, 2],
  angle: [3, 3],
  cobb: [4, 4],
  probe: [1, 1],
  freehand: [3, MOST_POINTS],
  rectangle: [2, 2],
  ellipse: [2, 2],
  sphere: [1, 1],
  cuboid: [4, 4],
};

const MEASURES: ReadonlySet<string> = new Set([
  ...['length', 'angle', 'area', 'volume', 'perimeter'],
  ...['mean', 'sd', 'min', 'max', 'value'],
]);

export interface Notes {
  readonly annotations: readonly Annotation[];
  /** Removed ones with the revision that the removal is. */
  readonly removed: readonly (readonly [uid: string, revision: number])[];
  /** How many entries were not sound. */
  readonly refused: number;
}

/** Reads a list of annotations, or `{annotations, removed}` as `AnnotationBook.toJSON` writes it. */
export function readNotes(written: unknown): Notes {
  const { annotations = [], removed = [] } = isObject(written) ? written : { annotations: written };
  if (!Array.isArray(annotations) || !Array.isArray(removed))
    return { annotations: [], removed: [], refused: 1 };
  const read = annotations.slice(0, MOST_ANNOTATIONS).map(readAnnotation);
  const sound = read.filter((annotation) => annotation !== null);
  const gone = removed.slice(0, MOST_ANNOTATIONS).filter(isRemoval);
  const refused = annotations.length - sound.length + removed.length - gone.length;
  return { annotations: sound, removed: gone, refused };
}

/** `null` for what is no annotation. Fields that nobody knows are left behind. */
export function readAnnotation(written: unknown): Annotation | null {
  if (!isObject(written)) return null;
  const { uid, kind, series, instance, frame, points, radius = null, revision } = written;
  const { text = '', label = null, measured = [], author = '', created_at = '' } = written;
  if (!isUid(uid) || !isUid(series) || !isKind(kind)) return null;
  if (!isInteger(revision, MOST_REVISIONS) || !isText(text, LONGEST_TEXT)) return null;
  if (!isText(author, LONGEST_TEXT) || !isText(created_at, 64)) return null;
  if (label !== null && !isPoint(label)) return null;
  if (!Array.isArray(measured) || measured.length > MOST_MEASURED || !measured.every(isMeasured)) return null;
  const isSolid = kind === 'sphere' || kind === 'cuboid';
  if (!arePoints(points, isSolid ? 3 : 2, POINTS[kind])) return null;
  if (isSolid ? instance !== null || frame !== null : !isUid(instance) || !isInteger(frame, 100_000))
    return null;
  if (kind === 'sphere' ? !isCoordinate(radius) || radius <= 0 : radius !== null) return null;
  return {
    ...{ uid, kind, series, instance, frame, radius, text, author, revision, created_at },
    points: points.map((point) => [...point]),
    label: label && { x: label.x, y: label.y },
    measured: measured.map(({ name, value, unit }) => ({ name, value, unit })),
  } as unknown as Annotation;
}

function isMeasured(written: unknown): written is Measured {
  if (!isObject(written)) return false;
  const { name, value, unit } = written;
  return (
    typeof name === 'string' && MEASURES.has(name) && Number.isFinite(value) && isText(unit, LONGEST_UNIT)
  );
}

function arePoints(
  points: unknown,
  dimensions: number,
  [least, most]: readonly [number, number],
): points is number[][] {
  return (
    Array.isArray(points) &&
    points.length >= least &&
    points.length <= most &&
    points.every((p) => Array.isArray(p) && p.length === dimensions && p.every(isCoordinate))
  );
}

function isRemoval(written: unknown): written is readonly [string, number] {
  return (
    Array.isArray(written) &&
    written.length === 2 &&
    isUid(written[0]) &&
    isInteger(written[1], MOST_REVISIONS)
  );
}

function isPoint(written: unknown): written is ImagePoint {
  return isObject(written) && isCoordinate(written.x) && isCoordinate(written.y);
}

function isCoordinate(value: unknown): value is number {
  return typeof value === 'number' && Math.abs(value) <= FARTHEST;
}

function isInteger(value: unknown, most: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= most;
}

function isText(value: unknown, longest: number): value is string {
  return typeof value === 'string' && value.length <= longest;
}

function isUid(value: unknown): value is string {
  return typeof value === 'string' && UID.test(value);
}

function isKind(value: unknown): value is AnnotationKind {
  return ANNOTATION_KINDS.some((kind) => kind === value);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
