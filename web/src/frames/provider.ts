/** The film's data for engine and tools: a frame by reference, from cache or through a worker, each brought once. */

import type { FrameRef, Manifest } from '../dicom/manifest';
import { FrameCache } from './frame_cache';
import type { DecodePool, Ticket } from './pool';
import type { DecodedFrame } from './protocol';

const CACHE_BYTES = 192e6;
const ON_SCREEN = 0;

export class FrameProvider {
  private readonly cache = new FrameCache(CACHE_BYTES);
  private readonly pending = new Map<string, Ticket>();
  /** Keys of frames that are brought whatever the reader does. */
  private readonly kept = new Set<string>();
  /** Sealed bytes that came over the network. */
  fetchedBytes = 0;

  /** `onArrival` hears of every frame that came in, also of those brought ahead. */
  constructor(
    private readonly manifest: Manifest,
    private readonly pool: DecodePool,
    private readonly onArrival: (ref: FrameRef) => void,
  ) {}

  has(ref: FrameRef): boolean {
    return this.cache.has(keyOf(ref));
  }

  peek(ref: FrameRef): DecodedFrame | undefined {
    return this.cache.get(keyOf(ref));
  }

  /** The frame, before all others, given up when the reader moves on (`prefetch`). Refuses with `FilmFault`. */
  async getWhileWanted(ref: FrameRef): Promise<DecodedFrame> {
    return this.peek(ref) ?? this.bring(ref, ON_SCREEN).frame;
  }

  /** The frame, before all others, wherever the reader goes meanwhile. Refuses with `FilmFault`. */
  async get(ref: FrameRef): Promise<DecodedFrame> {
    const key = keyOf(ref);
    this.kept.add(key);
    try {
      return await this.getWhileWanted(ref);
    } finally {
      this.kept.delete(key);
    }
  }

  /** Replaces what is brought ahead by `refs`, the most urgent first; whatever else was under way is given up. */
  prefetch(refs: readonly FrameRef[]): void {
    const wanted = new Set(refs.map(keyOf));
    for (const [key, ticket] of this.pending) {
      if (wanted.has(key) || this.kept.has(key)) continue;
      this.pending.delete(key); // whoever wants it again gets a new ticket, not this refused one
      ticket.abort();
    }
    refs.forEach((ref, i) => {
      if (!this.has(ref)) this.bring(ref, ON_SCREEN + 1 + i).frame.catch(() => undefined); // told when it is asked for
    });
  }

  private bring(ref: FrameRef, priority: number): Ticket {
    const key = keyOf(ref);
    const known = this.pending.get(key);
    if (known) {
      known.setPriority(priority);
      return known;
    }
    const series = this.manifest.series[ref.series];
    const frame = series.frames[ref.frame];
    const ticket = this.pool.submit(series.packs[frame.pack], frame, priority);
    this.pending.set(key, ticket);
    ticket.frame
      .then((decoded) => {
        this.cache.put(key, decoded);
        this.fetchedBytes += decoded.fetched;
        this.onArrival(ref);
      })
      .catch(() => undefined) // whoever asked hears of it
      .finally(() => {
        if (this.pending.get(key) === ticket) this.pending.delete(key);
      });
    return ticket;
  }
}

function keyOf(ref: FrameRef): string {
  return `${ref.series}/${ref.frame}`;
}
