/** What one reader did, to be taken back and done again. */

import type { Annotation } from '../../dicom/annotation';
import { isSameContent } from './versions';

/** One annotation before and after; `null`: not there. */
export interface Step {
  readonly uid: string;
  readonly before: Annotation | null;
  readonly after: Annotation | null;
}

type Lookup = (uid: string) => Annotation | null;

const DEEPEST = 100;

export class History {
  private done: (readonly Step[])[] = [];
  private undone: (readonly Step[])[] = [];

  get canUndo(): boolean {
    return this.done.length > 0;
  }

  get canRedo(): boolean {
    return this.undone.length > 0;
  }

  push(steps: readonly Step[]): void {
    this.done.push(steps);
    if (this.done.length > DEEPEST) this.done.shift();
    this.undone = [];
  }

  /** The steps that take the last change back; `null` when there is none, or others have changed all of it since. */
  undo(now: Lookup): readonly Step[] | null {
    return replay(this.done, this.undone, now);
  }

  redo(now: Lookup): readonly Step[] | null {
    return replay(this.undone, this.done, now);
  }
}

function replay(from: (readonly Step[])[], onto: (readonly Step[])[], now: Lookup): readonly Step[] | null {
  for (let steps = from.pop(); steps; steps = from.pop()) {
    const valid = steps.filter(({ uid, after }) => isSameContent(now(uid), after));
    if (valid.length === 0) continue;
    const back = valid.map(({ uid, before, after }) => ({ uid, before: after, after: before }));
    onto.push(back);
    return back;
  }
  return null;
}
