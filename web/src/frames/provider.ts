/** The film's data for engine and tools: a frame by reference, from cache or through a worker, each brought once. */

import type { FrameInfo, FrameRef, Manifest } from '../dicom/manifest';
import { Line } from '../transport/line';
import { CoarseSeries, previewCut, seriesRequest } from './coarse_series';
import { cacheBytesHere, FrameCache } from './frame_cache';
import { type Allowance, blockOf, prefetchPlan } from './plan';
import type { DecodePool, Ticket } from './pool';
import type { Block, CoarseFrame, DecodedFrame, SeriesRequest } from './protocol';
import { hasLossy, type Quality, sourceOf } from './quality';

const ON_SCREEN = 0;
const COARSE = 1;
const AHEAD = 2;
/** Sealed bytes up to which a whole series is brought: on a line that may be paid for, and on one that is not felt. */
const SEALED_ON_SLOW_LINE = 40e6;
const SEALED_ON_FAST_LINE = 400e6;
/** Of the cache: what is brought ahead must not push out what was looked at. */
const SHARE_AHEAD = 0.9;

interface Pending {
  readonly ticket: Ticket;
  readonly frame: Promise<DecodedFrame>;
  readonly quality: Quality;
  isOnScreen: boolean;
}

export class FrameProvider {
  private readonly cache: FrameCache;
  private readonly pending = new Map<string, Pending>();
  /** Keys of frames that are brought whatever the reader does. */
  private readonly kept = new Set<string>();
  /** Pictures of frames at a lower resolution, while the rest of them comes. */
  private readonly previews = new Map<string, CoarseFrame>();
  private readonly coarseOf = new Map<number, CoarseSeries>();
  /** Series whose first coarse levels are there, or do not exist: now neighbours may use the line. */
  private readonly opened = new Set<number>();
  private readonly coarseWaiting: (() => void)[] = [];
  /** A frame that somebody waited for came, or did not. */
  private hasShown = false;
  private ahead: readonly FrameRef[] = [];
  /** Makes the last plan anew; `null` where it was made for a fast line. */
  private planAgain: (() => void) | null = null;
  private chosen: Quality;
  /** Sealed bytes that came over the network. */
  fetchedBytes = 0;
  /** Hears of pictures at a lower resolution, `peekAny` has them; several frames of a series at once. */
  onCoarse: (series: number, frames: readonly number[]) => void = () => undefined;

  /** `onArrival` hears of every frame that came in, also of those brought ahead. */
  constructor(
    private readonly manifest: Manifest,
    private readonly pool: DecodePool,
    private readonly onArrival: (ref: FrameRef) => void,
    private readonly line = Line.here(),
    private readonly cacheBytes = cacheBytesHere(),
  ) {
    this.cache = new FrameCache(cacheBytes);
    this.chosen = line.savesData ? 'lossy' : 'lossless';
    pool.onTraffic = ({ fetched, milliseconds }) => {
      this.fetchedBytes += fetched;
      line.note(fetched, milliseconds);
    };
  }

  /** Which codestream is brought, where a frame has two. */
  get quality(): Quality {
    return this.chosen;
  }

  /** The frame on screen has to be asked for again: lossy ones are forgotten when lossless is chosen. */
  set quality(quality: Quality) {
    if (quality === this.chosen) return;
    this.chosen = quality;
    if (quality === 'lossless') this.cache.forget((frame) => frame.resolution === 'lossy');
    for (const [key, pending] of this.pending) this.giveUp(key, pending);
  }

  has(ref: FrameRef): boolean {
    return this.cache.has(keyOf(ref));
  }

  /** The frame as sharp as it is brought, when it waits decoded. */
  peek(ref: FrameRef): DecodedFrame | undefined {
    return this.cache.get(keyOf(ref));
  }

  /** The sharpest picture of the frame that is there: itself, or one of fewer columns and rows. */
  peekAny(ref: FrameRef): DecodedFrame | undefined {
    return (
      this.peek(ref) ?? this.previews.get(keyOf(ref)) ?? this.coarseOf.get(ref.series)?.frames[ref.frame]
    );
  }

  /** The frame, before all others, given up when the reader moves on (`prefetch`). Refuses with `FilmFault`. */
  async getWhileWanted(ref: FrameRef): Promise<DecodedFrame> {
    return this.peek(ref) ?? this.bring(ref, ON_SCREEN).frame;
  }

  /** The frame, before all others or by `priority`, wherever the reader goes meanwhile. Refuses with `FilmFault`. */
  async get(ref: FrameRef, priority = ON_SCREEN): Promise<DecodedFrame> {
    const key = keyOf(ref);
    this.kept.add(key);
    try {
      return this.peek(ref) ?? (await this.bring(ref, priority).frame);
    } finally {
      this.kept.delete(key);
    }
  }

  /**
   * Replaces what is brought ahead by `refs`, the most urgent first; whatever else was under way is given up.
   * `onScreen`: where each frame is waited for, those that were only passed make room for these.
   */
  prefetch(refs: readonly FrameRef[], onScreen: readonly FrameRef[] = refs.slice(0, 1)): void {
    const isSlow = refs.length > 0 && this.line.isNoticedFor(this.frameOf(refs[0]).length);
    const wanted = new Set((isSlow ? onScreen : refs).map(keyOf));
    for (const [key, pending] of this.pending) if (!wanted.has(key)) this.giveUp(key, pending);
    this.ahead = refs;
    this.bringAhead();
  }

  /** `prefetch` of a frame, of others that are on screen beside it, and of what lies around it: as much as line and memory carry. */
  prefetchAround({ series, frame }: FrameRef, direction: 1 | -1, beside: readonly FrameRef[] = []): void {
    const info = this.manifest.series[series];
    const isSlow = this.line.savesData || this.line.isNoticedFor(info.frames[frame].length);
    this.planAgain = isSlow ? () => this.prefetchAround({ series, frame }, direction, beside) : null;
    const allowance: Allowance = {
      sealed: isSlow ? SEALED_ON_SLOW_LINE : SEALED_ON_FAST_LINE,
      decoded: this.cacheBytes * SHARE_AHEAD,
    };
    const plan = prefetchPlan(info, frame, direction, allowance, this.chosen);
    const onScreen = [{ series, frame }, ...beside];
    this.prefetch([...onScreen, ...plan.map((index) => ({ series, frame: index }))], onScreen);
  }

  /** The whole series at up to 64² a slice; reading begins with the first call, behind the film's first frame. */
  coarse(series: number): CoarseSeries {
    const known = this.coarseOf.get(series);
    if (known) return known;
    const request = seriesRequest(this.manifest.series[series]);
    const coarse = new CoarseSeries(request?.parts.length ?? 0);
    this.coarseOf.set(series, coarse);
    if (request) {
      this.coarseWaiting.push(() => this.readCoarse(series, coarse, request));
      this.startCoarse();
    } else {
      this.opened.add(series);
      coarse.end();
    }
    return coarse;
  }

  private startCoarse(): void {
    if (!this.hasShown && this.isUrgent()) return;
    for (const start of this.coarseWaiting.splice(0)) start();
  }

  private readCoarse(series: number, coarse: CoarseSeries, request: SeriesRequest): void {
    const ticket = this.pool.submit(request, COARSE, (frames) => {
      coarse.take(frames);
      this.onCoarse(
        series,
        frames.map(({ index }) => index),
      );
    });
    ticket.frame.catch(() => null).then(() => coarse.end()); // full frames come anyway, and tell what is wrong
    void coarse.small.then(() => {
      this.opened.add(series);
      this.bringAhead();
    });
  }

  /** Somebody waits for a frame. */
  private isUrgent(): boolean {
    return [...this.pending.values()].some(({ isOnScreen }) => isOnScreen);
  }

  /** Starts what waits to be brought ahead, unless something more urgent needs the line. */
  private bringAhead(): void {
    const [first] = this.ahead;
    if (!first) return;
    const isUrgent = this.isUrgent();
    if (!isUrgent) this.coarse(first.series);
    if (!this.opened.has(first.series)) return;
    if (isUrgent && this.line.isNoticedFor(this.frameOf(first).length)) return;
    const refs = this.ahead;
    this.ahead = [];
    refs.forEach((ref, i) => {
      if (!this.has(ref)) this.bring(ref, AHEAD + i).frame.catch(() => undefined); // told when it is asked for
    });
  }

  /** More is brought ahead once the line proves better than it was thought to be. */
  private planFaster(ref: FrameRef): void {
    if (!this.line.savesData && !this.line.isNoticedFor(this.frameOf(ref).length)) this.planAgain?.();
  }

  private bring(ref: FrameRef, priority: number): Pending {
    const key = keyOf(ref);
    const known = this.pending.get(key);
    if (known) {
      known.ticket.setPriority(priority);
      known.isOnScreen ||= priority === ON_SCREEN;
      return known;
    }
    const pending = this.submit(ref, priority);
    this.pending.set(key, pending);
    pending.frame
      .then((decoded) => {
        if (pending.quality !== this.chosen && hasLossy(this.frameOf(ref))) return; // chosen anew meanwhile
        this.cache.put(key, decoded);
        this.onArrival(ref);
      })
      .catch(() => undefined) // whoever asked hears of it
      .finally(() => {
        if (this.pending.get(key) !== pending) return;
        this.pending.delete(key);
        this.previews.delete(key);
        if (pending.isOnScreen) {
          this.hasShown = true;
          this.startCoarse();
          this.coarse(ref.series);
        }
        this.bringAhead();
        this.planFaster(ref);
      });
    return pending;
  }

  private submit(ref: FrameRef, priority: number): Pending {
    const frame = this.frameOf(ref);
    const source = sourceOf(frame, this.chosen);
    const series = this.manifest.series[ref.series];
    const isSlow = this.line.isNoticedFor(source.length);
    const ticket = this.pool.submit(
      {
        kind: 'frame',
        pack: series.packs[frame.pack],
        frame: source,
        preview: priority === ON_SCREEN && isSlow ? previewCut(source) : null,
        block: priority >= AHEAD ? this.blockFor(ref) : null,
      },
      priority,
      ([preview]) => {
        this.previews.set(keyOf(ref), preview);
        this.onCoarse(ref.series, [ref.frame]);
      },
    );
    const resolution = source === frame ? 'full' : 'lossy';
    const decoded = ticket.frame.then(
      (sharp) => ({ ...(sharp as DecodedFrame), resolution }) as DecodedFrame,
    );
    return { ticket, frame: decoded, quality: this.chosen, isOnScreen: priority === ON_SCREEN };
  }

  /** What comes with a frame that is brought ahead; alone, where who waits for another frame would notice the rest. */
  private blockFor({ series, frame }: FrameRef): Block | null {
    const isThere = (index: number): boolean => {
      const key = keyOf({ series, frame: index });
      return this.cache.has(key) || this.pending.get(key)?.isOnScreen === true;
    };
    const block = blockOf(this.manifest.series[series], frame, this.chosen, isThere);
    return block && !this.line.isNoticedFor(block.end - block.start) ? block : null;
  }

  private giveUp(key: string, pending: Pending): void {
    if (this.kept.has(key)) return;
    this.pending.delete(key); // whoever wants it again gets a new ticket, not this refused one
    this.previews.delete(key);
    pending.ticket.abort();
  }

  private frameOf({ series, frame }: FrameRef): FrameInfo {
    return this.manifest.series[series].frames[frame];
  }
}

function keyOf(ref: FrameRef): string {
  return `${ref.series}/${ref.frame}`;
}
