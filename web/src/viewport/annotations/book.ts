/** The annotations of a film: added, changed, removed, undone; the ui and live rooms hear of each change. */

import { batch, computed, signal } from '@preact/signals';
import type { Annotation, FlatAnnotation, SolidAnnotation } from '../../dicom/annotation';
import { History, type Step } from './history';
import { MOST_ANNOTATIONS, type Notes, readNotes } from './read';
import { byUid, isNewer, isSameContent } from './versions';

export interface BookChange {
  /** `local`: by this reader; `remote`: merged from elsewhere, not to be sent back there. */
  readonly origin: 'local' | 'remote';
  readonly put: readonly Annotation[];
  readonly removed: readonly string[];
}

/** What may change in an annotation; the book counts revisions itself. */
export type AnnotationChange = Partial<
  Pick<Annotation, 'text' | 'label' | 'measured' | 'radius'> & {
    points: FlatAnnotation['points'] | SolidAnnotation['points'];
  }
>;

export class AnnotationBook {
  /** By uid, in the order of making. */
  readonly all = signal<readonly Annotation[]>([]);
  readonly selected = signal<string | null>(null);
  /** What is being drawn or moved now: shown instead of the one with its uid, nobody else hears of it. */
  readonly draft = signal<Annotation | null>(null);
  /** What to draw: all, with the draft. */
  readonly visible = computed(() => withDraft(this.all.value, this.draft.value));
  readonly canUndo = signal(false);
  readonly canRedo = signal(false);
  /** Who draws: goes into what this reader makes and changes. */
  author = '';

  private readonly history = new History();
  private readonly listeners = new Set<(change: BookChange) => void>();
  /** Revisions of removed ones: an older version that arrives later does not bring them back. */
  private readonly graves = new Map<string, number>();

  get(uid: string): Annotation | null {
    return this.all.value.find((annotation) => annotation.uid === uid) ?? null;
  }

  get isFull(): boolean {
    return this.all.value.length >= MOST_ANNOTATIONS;
  }

  /** The flat ones on one frame, with the draft. */
  onFrame(instance: string, frame: number): readonly FlatAnnotation[] {
    return this.visible.value.filter(
      (a): a is FlatAnnotation => a.instance === instance && a.frame === frame,
    );
  }

  /** The solids of a series, with the draft. */
  solidsOf(series: string): readonly SolidAnnotation[] {
    return this.visible.value.filter((a): a is SolidAnnotation => a.instance === null && a.series === series);
  }

  /** Adds and selects. Raises `RangeError` when the book is full. */
  add(annotation: Annotation): void {
    if (this.isFull) throw new RangeError(`a film holds ${MOST_ANNOTATIONS} annotations: remove some`);
    batch(() => {
      this.act([{ uid: annotation.uid, before: null, after: { ...annotation, author: this.author } }]);
      this.selected.value = annotation.uid;
    });
  }

  update(uid: string, change: AnnotationChange): void {
    const before = this.get(uid);
    if (!before) return;
    const after = { ...before, ...change, author: this.author } as Annotation;
    if (!isSameContent(before, after)) this.act([{ uid, before, after }]);
  }

  /** Makes this version count over one with `revision`, its content unchanged. */
  outrank(uid: string, revision: number): void {
    const known = this.get(uid);
    if (known) this.write([{ ...known, revision: Math.max(known.revision, revision) + 1 }], [], 'local');
  }

  /** Removes one or several; one step of the history. */
  remove(...uids: readonly string[]): void {
    const steps = uids.flatMap((uid) => this.get(uid) ?? []);
    if (steps.length > 0) this.act(steps.map((before) => ({ uid: before.uid, before, after: null })));
  }

  select(uid: string | null): void {
    this.selected.value = uid;
  }

  /** Takes back the last change of this reader; what others changed meanwhile stays as they left it. */
  undo(): void {
    this.replay(this.history.undo((uid) => this.get(uid)));
  }

  redo(): void {
    this.replay(this.history.redo((uid) => this.get(uid)));
  }

  /**
   * Takes in what came from elsewhere: of two versions the higher revision counts, of equal ones the same everywhere.
   * `isAuthority`: with an equal revision theirs counts, as the exam's record knows who the author is.
   */
  merge({ annotations, removed }: Pick<Notes, 'annotations' | 'removed'>, isAuthority = false): void {
    const isWanted = (theirs: Annotation): boolean => {
      if ((this.graves.get(theirs.uid) ?? 0) >= theirs.revision) return false;
      const ours = this.get(theirs.uid);
      if (!ours) return true;
      return isAuthority && ours.revision === theirs.revision ? true : isNewer(theirs, ours);
    };
    const put = annotations.filter(isWanted);
    const gone = removed.filter(([uid, revision]) => {
      if ((this.graves.get(uid) ?? 0) < revision) this.bury(uid, revision);
      return (this.get(uid)?.revision ?? Number.POSITIVE_INFINITY) <= revision;
    });
    this.write(
      put,
      gone.map(([uid]) => uid),
      'remote',
    );
  }

  /** Reads what came from outside and merges it; answers how many entries were not sound and left out. */
  load(written: unknown, isAuthority = false): number {
    const notes = readNotes(written);
    this.merge(notes, isAuthority);
    return notes.refused;
  }

  /** The whole book, for `load`. */
  toJSON(): { annotations: readonly Annotation[]; removed: readonly (readonly [string, number])[] } {
    return { annotations: this.all.value, removed: [...this.graves] };
  }

  /** Calls `listener` after each change; answers how to stop. */
  onChange(listener: (change: BookChange) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private act(steps: readonly Step[]): void {
    const counted = this.count(steps);
    this.history.push(counted);
    this.apply(counted);
  }

  private replay(steps: readonly Step[] | null): void {
    if (steps) this.apply(this.count(steps));
    else this.tellHistory();
  }

  /** Every change, its undoing too, is a revision higher than any version that others may have seen. */
  private count(steps: readonly Step[]): readonly Step[] {
    return steps.map(({ uid, before, after }) => {
      const known = Math.max(this.get(uid)?.revision ?? 0, this.graves.get(uid) ?? 0, 0);
      return { uid, before, after: after && { ...after, revision: known + 1 } };
    });
  }

  private apply(steps: readonly Step[]): void {
    const put = steps.flatMap(({ after }) => after ?? []);
    const removed = steps.filter(({ after }) => !after).map(({ uid }) => uid);
    for (const uid of removed) this.bury(uid, (this.get(uid)?.revision ?? 0) + 1);
    this.write(put, removed, 'local');
  }

  private bury(uid: string, revision: number): void {
    this.graves.delete(uid);
    this.graves.set(uid, revision);
    if (this.graves.size <= MOST_ANNOTATIONS) return;
    const [oldest] = this.graves.keys();
    this.graves.delete(oldest);
  }

  private write(put: readonly Annotation[], removed: readonly string[], origin: BookChange['origin']): void {
    if (put.length === 0 && removed.length === 0) {
      this.tellHistory();
      return;
    }
    const byKey = byUid(this.all.value);
    for (const annotation of put) {
      byKey.set(annotation.uid, annotation);
      this.graves.delete(annotation.uid);
    }
    for (const uid of removed) byKey.delete(uid);
    const all = [...byKey.values()].slice(0, MOST_ANNOTATIONS);
    batch(() => {
      this.all.value = all;
      if (this.selected.value && !byKey.has(this.selected.value)) this.selected.value = null;
      this.tellHistory();
    });
    for (const listener of this.listeners) listener({ origin, put, removed });
  }

  private tellHistory(): void {
    this.canUndo.value = this.history.canUndo;
    this.canRedo.value = this.history.canRedo;
  }
}

function withDraft(all: readonly Annotation[], draft: Annotation | null): readonly Annotation[] {
  if (!draft) return all;
  const others = all.filter(({ uid }) => uid !== draft.uid);
  return [...others, draft];
}
