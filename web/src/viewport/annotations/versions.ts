/** Versions of one annotation: which counts, and whether they say the same. Pure. */

import type { Annotation } from '../../dicom/annotation';

/** What is drawn and said, without who and when. */
export function contentOf({
  kind,
  series,
  instance,
  frame,
  points,
  radius,
  text,
  label,
  measured,
}: Annotation): string {
  return JSON.stringify([kind, series, instance, frame, points, radius, text, label, measured]);
}

export function isSameContent(a: Annotation | null, b: Annotation | null): boolean {
  return a === null || b === null ? a === b : contentOf(a) === contentOf(b);
}

/** Whether `theirs` replaces `ours`: the higher revision, else the later author, else the later content: alike everywhere. */
export function isNewer(theirs: Annotation, ours: Annotation): boolean {
  if (theirs.revision !== ours.revision) return theirs.revision > ours.revision;
  if (theirs.author !== ours.author) return theirs.author > ours.author;
  return contentOf(theirs) > contentOf(ours);
}

export function byUid(annotations: readonly Annotation[]): Map<string, Annotation> {
  return new Map(annotations.map((annotation) => [annotation.uid, annotation]));
}
