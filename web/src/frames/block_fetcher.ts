/** Sealed bytes of neighbouring frames by one request: the first frame of a block fetches, the others take their part. */

import type { ChunkRange } from '../decode/sealed/header';
import type { RangeFetcher } from './range_reader';

/** Blocks that a worker holds: one on each side of the reader, and one that is under way. */
const MOST_BLOCKS = 3;

interface Held {
  readonly name: string;
  readonly came: Promise<{ readonly bytes: Uint8Array; readonly milliseconds: number }>;
}

/** A part of a block, and its share of the time that the block took. */
export interface Taken {
  readonly bytes: Uint8Array;
  readonly milliseconds: number;
}

export class BlockFetcher {
  private held: Held[] = [];

  constructor(private readonly fetchRange: RangeFetcher) {}

  /** The sealed bytes of `part`, which lies in `whole`. Raises `FilmFault`; the next one to ask tries again. */
  async take(url: string, name: string, whole: ChunkRange, part: ChunkRange): Promise<Taken> {
    let block = this.held.find((one) => one.name === name);
    if (!block) {
      block = { name, came: this.fetch(url, whole) };
      this.held = [...this.held.slice(1 - MOST_BLOCKS), block];
      block.came.catch(() => {
        this.held = this.held.filter((one) => one.name !== name);
      });
    }
    const { bytes, milliseconds } = await block.came;
    // a copy: what is kept of a frame must not hold the whole block
    const own = bytes.slice(part.cipherStart - whole.cipherStart, part.cipherEnd - whole.cipherStart);
    return { bytes: own, milliseconds: (milliseconds * own.length) / bytes.length };
  }

  private async fetch(url: string, { cipherStart, cipherEnd }: ChunkRange): Promise<Taken> {
    const began = performance.now();
    // nobody's own: a frame that is not wanted any more must not take its neighbours with it
    const bytes = await this.fetchRange(url, cipherStart, cipherEnd, new AbortController().signal);
    return { bytes, milliseconds: performance.now() - began };
  }
}
