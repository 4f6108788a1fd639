/** Brings plain bytes of a pack: sealed chunks from the store, those that it lacks from the network, opened, kept when they verified. */

import type { KeptRun, RangeStore } from '../cache/port';
import type { ChunkRange } from '../decode/sealed/header';
import { SealedObject } from '../decode/sealed/opener';
import { SealBroken, TAG_LENGTH } from '../decode/sm4/gcm';
import type { SealedPack } from '../dicom/manifest';
import { FilmFault } from '../faults';
import { BlockFetcher, type Taken } from './block_fetcher';
import type { Block } from './protocol';

/** Bytes [start, end) of a URL; raises `FilmFault`. */
export type RangeFetcher = (
  url: string,
  start: number,
  end: number,
  signal: AbortSignal,
) => Promise<Uint8Array>;

/** Whole chunks [first, last] of a pack, opened. */
export interface OpenedRun {
  readonly first: number;
  readonly last: number;
  readonly plain: Uint8Array;
}

export interface PlainBytes {
  /** The bytes that were asked for. */
  readonly plain: Uint8Array;
  /** The chunks that they lie in: a longer read from the same start takes them over. */
  readonly run: OpenedRun;
  /** Sealed bytes that came over the network, 0 when the store had all, and how long they took. */
  readonly fetched: number;
  readonly milliseconds: number;
}

interface Given {
  /** What an earlier read of the same start gave: it is not read again. */
  readonly opened?: OpenedRun | undefined;
  /** What holds these bytes and others that are wanted soon. */
  readonly block?: Block | null;
}

export class RangeReader {
  private readonly objects = new Map<string, SealedObject>();
  private readonly blocks: BlockFetcher;

  constructor(
    private readonly store: RangeStore,
    private readonly fetchRange: RangeFetcher,
  ) {
    this.blocks = new BlockFetcher(fetchRange);
  }

  /**
   * The plain bytes [start, end).
   * Raises `SealBroken`, and `FilmFault`: network, denied (then what was kept of the object is forgotten), aborted.
   */
  async read(
    pack: SealedPack,
    start: number,
    end: number,
    signal: AbortSignal,
    { opened, block = null }: Given = {},
  ): Promise<PlainBytes> {
    const object = this.objectOf(pack);
    const range = object.rangeOf(start, end);
    const reading = new Reading(object, range, opened);
    for (const run of await this.keptOf(pack, reading.next, range.last)) {
      const last = reading.usableTo(run);
      if (run.first < reading.next || last < run.first) continue;
      if (run.first > reading.next) await this.bring(pack, reading, run.first - 1, signal, block);
      reading.tryKept(run, last);
    }
    if (reading.next <= range.last) await this.bring(pack, reading, range.last, signal, block);
    const from = start - range.first * object.header.chunkLength;
    return {
      plain: reading.plain.subarray(from, from + end - start),
      run: { first: range.first, last: range.last, plain: reading.plain },
      fetched: reading.fetched,
      milliseconds: reading.milliseconds,
    };
  }

  /** The chunks up to `last` over the network. */
  private async bring(
    pack: SealedPack,
    reading: Reading,
    last: number,
    signal: AbortSignal,
    block: Block | null,
  ): Promise<void> {
    const { next: first, object } = reading;
    const range = object.rangeOfChunks(first, last);
    const { bytes, milliseconds } = await this.fetch(pack, object, range, signal, block);
    reading.milliseconds += milliseconds;
    reading.fetched += bytes.length;
    reading.open(last, bytes);
    void this.store.put(pack.object_id, { first, bytes }); // only what verified, and nobody waits for the disk
  }

  private async fetch(
    pack: SealedPack,
    object: SealedObject,
    range: ChunkRange,
    signal: AbortSignal,
    block: Block | null,
  ): Promise<Taken> {
    try {
      if (block) {
        return await this.blocks.take(pack.url, block.name, object.rangeOf(block.start, block.end), range);
      }
      const began = performance.now();
      const bytes = await this.fetchRange(pack.url, range.cipherStart, range.cipherEnd, signal);
      return { bytes, milliseconds: performance.now() - began };
    } catch (error) {
      if (error instanceof FilmFault && error.kind === 'denied') {
        void this.store.purge(pack.object_id).catch(() => undefined);
      }
      throw error;
    }
  }

  private async keptOf(pack: SealedPack, first: number, last: number): Promise<KeptRun[]> {
    if (first > last) return [];
    return this.store.get(pack.object_id, first, last).catch(() => []);
  }

  private objectOf(pack: SealedPack): SealedObject {
    const known = this.objects.get(pack.object_id);
    if (known) return known;
    const object = new SealedObject(pack);
    this.objects.set(pack.object_id, object);
    return object;
  }
}

/** The chunks of one read, opened one after the other. */
class Reading {
  readonly plain: Uint8Array;
  /** The first chunk that is not there yet. */
  next: number;
  fetched = 0;
  milliseconds = 0;

  constructor(
    readonly object: SealedObject,
    private readonly range: ChunkRange,
    opened: OpenedRun | undefined,
  ) {
    this.plain = new Uint8Array(object.plainLengthOf(range));
    this.next = range.first;
    if (opened?.first === range.first) {
      this.plain.set(opened.plain.subarray(0, this.plain.length));
      this.next = Math.min(opened.last, range.last) + 1;
    }
  }

  /** Opens the sealed chunks from `next` to `last`. */
  open(last: number, sealed: Uint8Array): void {
    const at = (this.next - this.range.first) * this.object.header.chunkLength;
    this.object.open(this.object.rangeOfChunks(this.next, last), sealed, this.plain.subarray(at));
    this.next = last + 1;
  }

  /** The same of what was kept; what rotted there counts as not there. */
  tryKept(run: KeptRun, last: number): void {
    const { cipherStart, cipherEnd } = this.object.rangeOfChunks(run.first, last);
    try {
      this.open(last, run.bytes.subarray(0, cipherEnd - cipherStart));
    } catch (error) {
      if (!(error instanceof SealBroken)) throw error;
    }
  }

  /** The last chunk that is wanted and lies whole in a kept run; before its first when there is none. */
  usableTo({ first, bytes }: KeptRun): number {
    const { chunkLength, chunkCount } = this.object.header;
    const sealedChunk = chunkLength + TAG_LENGTH;
    const whole = first + Math.floor(bytes.length / sealedChunk) - 1;
    const isCutChunkTheLast = whole + 1 === chunkCount - 1 && bytes.length % sealedChunk > 0;
    return Math.min(isCutChunkTheLast ? whole + 1 : whole, this.range.last);
  }
}
