/**
 * Where ciphertext stays between two openings of a film (K2: a second open downloads nothing).
 *
 * Only sealed bytes are ever put in, keyed by object id and chunk, never by URL: URLs change from visit to visit, and
 * what is left behind when a share ends cannot be read without a key that is not given again.
 */
export interface RangeStore {
  /** The runs that begin at one of the chunks [first, last] of an object, in their order. */
  get(objectId: string, first: number, last: number): Promise<KeptRun[]>;
  /** Keeps a run; the least recently used ones make room. Never raises when the browser has no room: it forgets. */
  put(objectId: string, run: KeptRun): Promise<void>;
  /** Forgets all runs of the object. */
  purge(objectId: string): Promise<void>;
}

/** Sealed chunks as they came in one answer. */
export interface KeptRun {
  /** Number of the first chunk. */
  readonly first: number;
  readonly bytes: Uint8Array;
}
