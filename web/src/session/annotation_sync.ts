/** The book and the record of the exam: brings what was saved, saves what changed, and says where two readers disagree. */

import { batch, computed, signal } from '@preact/signals';
import type { Annotation } from '../dicom/annotation';
import type { Manifest } from '../dicom/manifest';
import type { AnnotationBook } from '../viewport/annotations/book';
import { readNotes } from '../viewport/annotations/read';
import { byUid, isSameContent } from '../viewport/annotations/versions';
import { type AnnotationApi, ApiRefusal } from './annotation_api';

/** Another version of what this reader changed; `null`: somebody removed it. */
export interface Conflict {
  readonly uid: string;
  readonly theirs: Annotation | null;
}

interface Changes {
  readonly put: readonly Annotation[];
  readonly removed: readonly string[];
}

type Stored = ReadonlyMap<string, Annotation>;

export class AnnotationSync {
  readonly isBusy = signal(false);
  /** What happened last, in words; empty: nothing to say. */
  readonly message = signal('');
  readonly conflicts = signal<readonly Conflict[]>([]);
  /** How many changes the record does not have yet. */
  readonly unsaved = computed(() =>
    this.place.exams.reduce((sum, exam) => sum + size(this.changesOf(exam)), 0),
  );

  /** What the record holds, by exam, as far as this page knows. */
  private readonly stored = signal<ReadonlyMap<number, Stored>>(new Map());
  private places: Places | null = null;

  constructor(
    private readonly book: AnnotationBook,
    private readonly manifest: Manifest,
    private readonly api: AnnotationApi,
  ) {}

  get maySave(): boolean {
    return this.manifest.may.save_annotations;
  }

  /** Brings what was saved before. A record that cannot be read is said, and the film stays usable. */
  async load(): Promise<void> {
    await this.during(async () => {
      for (const exam of this.place.exams) this.adopt(exam, await this.api.read(exam));
    });
  }

  /** Saves all changes. Where the record has another version of the same revision, `conflicts` names it. */
  async save(): Promise<void> {
    if (!this.maySave) return;
    await this.during(async () => {
      let overtaken = 0;
      for (const exam of this.place.exams) overtaken += await this.saveExam(exam);
      if (this.conflicts.value.length > 0) this.message.value = WORDS.conflict;
      else
        this.message.value =
          overtaken > 0 ? `已保存；其中 ${overtaken} 条已有他人的更新版本，以更新的为准` : '已保存到检查';
    });
  }

  /** Settles a conflict: `mine` will be saved over theirs. The last one settled saves. */
  async resolve(uid: string, choice: 'mine' | 'theirs'): Promise<void> {
    const conflict = this.conflicts.value.find((one) => one.uid === uid);
    const ours = this.book.get(uid);
    if (!conflict) return;
    const { theirs } = conflict;
    if (choice === 'mine') this.book.outrank(uid, theirs?.revision ?? 0);
    else if (theirs) this.book.merge({ annotations: [theirs], removed: [] }, true);
    else if (ours) this.book.merge({ annotations: [], removed: [[uid, ours.revision]] });
    this.conflicts.value = this.conflicts.value.filter((one) => one !== conflict);
    if (this.conflicts.value.length === 0) await this.save();
  }

  /** Measurement reports (DICOM SR), one for each exam with annotations; empty after a failure, which `message` says. */
  async reports(): Promise<readonly { readonly exam: number; readonly file: Blob }[]> {
    const made: { exam: number; file: Blob }[] = [];
    await this.during(async () => {
      for (const exam of this.place.exams) {
        const annotations = this.ofExam(exam);
        if (annotations.length > 0) made.push({ exam, file: await this.api.report(exam, annotations) });
      }
    });
    return made;
  }

  /** Whether the record can hold it: it lies on a picture of the film, not on a slice cut by this page. */
  isOnFilm({ series, instance }: Annotation): boolean {
    return (
      this.place.examOf.has(series) &&
      (instance === null || this.place.instances.has(`${series} ${instance}`))
    );
  }

  /** Asks before the page with unsaved changes is left; answers how to stop. */
  warnAtLeaving(page: Pick<Window, 'addEventListener' | 'removeEventListener'>): () => void {
    const warn = (event: Event): void => {
      if (this.maySave && this.unsaved.value > 0) event.preventDefault();
    };
    page.addEventListener('beforeunload', warn);
    return () => page.removeEventListener('beforeunload', warn);
  }

  /** Where annotations may lie; series of other exams are added to a film for comparing. */
  private get place(): Places {
    const { series, exam_id } = this.manifest;
    if (this.places?.count !== series.length) this.places = placesOf(series, exam_id);
    return this.places;
  }

  private ofExam(exam: number): readonly Annotation[] {
    return this.book.all.value.filter(
      (one) => this.place.examOf.get(one.series) === exam && this.isOnFilm(one),
    );
  }

  private changesOf(exam: number): Changes {
    const stored: Stored = this.stored.value.get(exam) ?? new Map();
    const ours = this.ofExam(exam);
    const present = new Set(ours.map(({ uid }) => uid));
    return {
      put: ours.filter((one) => one.revision > (stored.get(one.uid)?.revision ?? 0)),
      removed: [...stored.keys()].filter((uid) => !present.has(uid)),
    };
  }

  /** Answers how many of the sent ones the record has in a newer version of somebody else. */
  private async saveExam(exam: number): Promise<number> {
    const changes = this.changesOf(exam);
    if (size(changes) === 0) return 0;
    try {
      const now = readNotes(await this.api.write(exam, changes.put, changes.removed)).annotations;
      const stored = byUid(now);
      this.adopt(exam, now);
      return changes.put.filter(({ uid, revision }) => (stored.get(uid)?.revision ?? 0) > revision).length;
    } catch (error) {
      if (!(error instanceof ApiRefusal) || error.status !== 409) throw error;
      await this.findConflicts(exam, changes, error.subject);
      return 0;
    }
  }

  private async findConflicts(exam: number, { put }: Changes, named: string | null): Promise<void> {
    const before: Stored = this.stored.value.get(exam) ?? new Map();
    const now = readNotes(await this.api.read(exam)).annotations;
    const theirs = byUid(now);
    const found = put.flatMap((ours): readonly Conflict[] => {
      const other = theirs.get(ours.uid) ?? null;
      if (!other) return before.has(ours.uid) || ours.uid === named ? [{ uid: ours.uid, theirs: null }] : [];
      return other.revision >= ours.revision && !isSameContent(other, ours)
        ? [{ uid: ours.uid, theirs: other }]
        : [];
    });
    const disputed = new Set(found.map(({ uid }) => uid));
    const settled = now.filter(({ uid }) => !disputed.has(uid));
    batch(() => {
      this.adopt(exam, settled, disputed);
      this.conflicts.value = [...this.conflicts.value.filter(({ uid }) => !disputed.has(uid)), ...found];
    });
  }

  /** Takes the record's list as it is; what it no longer has goes here too, unless it was changed here since. */
  private adopt(exam: number, written: unknown, disputed: ReadonlySet<string> = new Set()): void {
    const { annotations } = readNotes(written);
    const now = byUid(annotations);
    const before: Stored = this.stored.value.get(exam) ?? new Map();
    const gone = [...before.values()].filter(({ uid }) => !now.has(uid) && !disputed.has(uid));
    const isOurs = (one: Annotation): boolean => this.isRemovedHere(one, before);
    batch(() => {
      this.stored.value = new Map(this.stored.value).set(exam, now);
      this.book.merge(
        {
          annotations: annotations.filter((one) => !isOurs(one)),
          removed: gone.map(({ uid, revision }) => [uid, revision] as const),
        },
        true,
      );
    });
  }

  /** Removed on this page and not yet in the record: reading the record must not bring it back. */
  private isRemovedHere({ uid, revision }: Annotation, before: Stored): boolean {
    return before.get(uid)?.revision === revision && this.book.get(uid) === null;
  }

  private async during(act: () => Promise<void>): Promise<void> {
    if (this.isBusy.value) return;
    this.isBusy.value = true;
    this.message.value = '';
    try {
      await act();
    } catch (error) {
      this.message.value = error instanceof ApiRefusal ? error.message : WORDS.network;
    } finally {
      this.isBusy.value = false;
    }
  }
}

const WORDS = {
  conflict: '有标注已被他人修改，请逐条选择保留哪一个',
  network: '网络不通，标注仍保留在本页，请稍后重试',
} as const;

interface Places {
  readonly count: number;
  readonly examOf: ReadonlyMap<string, number>;
  readonly exams: readonly number[];
  /** Series and instance UID, a blank between. */
  readonly instances: ReadonlySet<string>;
}

function placesOf(series: Manifest['series'], filmExam: number): Places {
  const examOf = new Map(series.map(({ uid, exam_id }) => [uid, exam_id || filmExam]));
  const instances = series.flatMap(({ uid, frames }) => frames.map(({ instance }) => `${uid} ${instance}`));
  return {
    count: series.length,
    examOf,
    exams: [...new Set(examOf.values())],
    instances: new Set(instances),
  };
}

function size({ put, removed }: Changes): number {
  return put.length + removed.length;
}
