/**
 * Where ciphertext ranges stay between two openings of a film (K2: a second open downloads nothing).
 *
 * Only sealed bytes are ever put in, keyed by object id and chunk range, never by URL: URLs change from visit to
 * visit, and what is left behind when a share ends cannot be read without a key that is not given again.
 */
export interface RangeStore {
  get(key: string): Promise<Uint8Array | undefined>;
  /** Keeps a range; the least recently used ones make room. Never raises when the browser has no room: it forgets. */
  put(key: string, bytes: Uint8Array): Promise<void>;
}

export function rangeKey(objectId: string, first: number, last: number): string {
  return `${objectId}:${first}-${last}`;
}
