/** Fills a volume while it is looked at: the coarse series first, then slice by slice from where the eye is. */

import { FilmFault } from '../faults';
import type { DecodedFrame } from '../frames/protocol';
import type { VolumePlan } from './plan';
import { allocate } from './sample_scale';
import { SliceWriter } from './slice_writer';
import { LOSSY, type VolumeData } from './volume';

/** What the loader asks of the film's data; indexes are those of the frames of the series. */
export interface VolumeFrames {
  /** Hands over the coarse levels as they come, each frame any number of times, the better the later. */
  low(take: (index: number, coarse: DecodedFrame) => void): Promise<void>;
  /** The frame in full. Refuses with `FilmFault`. */
  frame(index: number, signal: AbortSignal): Promise<DecodedFrame>;
}

export interface Progress {
  /** Slices in full size, and slices that show at least something. */
  readonly full: number;
  readonly seen: number;
  readonly total: number;
  /** Slices that could not be brought; what stands there is coarse or empty. */
  readonly failed: number;
}

export interface LoadWishes {
  readonly signal: AbortSignal;
  /** The slice that the reader looks at; the nearest missing ones come next. */
  readonly eye: () => number;
  /** Called when slices changed; at most once per task. */
  readonly onProgress: (progress: Progress) => void;
}

const AT_ONCE = 4; // enough to keep the decode workers busy; what is asked for early does not follow the eye
const KEPT_FRAMES = 8; // neighbours share frames when uneven slices are brought to even steps

/** An empty volume. Raises `FilmFault('unsupported')` when the memory is not there. */
export function emptyVolume(plan: VolumePlan): VolumeData {
  const { series, size, scale, toPatient, toVoxel, template } = plan;
  const count = size[0] * size[1] * size[2];
  try {
    const data = allocate(scale, count);
    if (scale.outside !== 0) data.fill(scale.outside);
    return {
      series: series.uid,
      frame_of_reference: series.frame_of_reference,
      size,
      data,
      slope: scale.slope,
      intercept: scale.intercept,
      unit: template.unit,
      toPatient,
      toVoxel,
      outside: scale.outside,
      quality: new Uint8Array(size[2]),
      template,
    };
  } catch (error) {
    if (error instanceof RangeError) throw new FilmFault('unsupported', `no memory for ${count} voxels`);
    throw error;
  }
}

/**
 * Fills `volume`; resolves when every slice is there or was given up. Refuses with `FilmFault`: `denied`, `aborted`;
 * other faults of single frames count as failed slices.
 */
export async function fillVolume(
  plan: VolumePlan,
  volume: VolumeData,
  frames: VolumeFrames,
  wishes: LoadWishes,
): Promise<Progress> {
  const filling = new Filling(plan, volume, frames, wishes);
  return filling.run();
}

class Filling {
  private readonly writer: SliceWriter;
  /** Slices that nobody has begun with. */
  private readonly missing: Set<number>;
  private readonly slicesOf = new Map<number, number[]>();
  private readonly kept = new Map<number, Promise<DecodedFrame>>();
  private failed = 0;
  private isTold = true;

  constructor(
    private readonly plan: VolumePlan,
    private readonly volume: VolumeData,
    private readonly frames: VolumeFrames,
    private readonly wishes: LoadWishes,
  ) {
    this.writer = new SliceWriter(plan, volume);
    this.missing = new Set(plan.sources.keys());
    plan.sources.forEach(({ from }, z) => {
      const slices = this.slicesOf.get(from);
      if (slices) slices.push(z);
      else this.slicesOf.set(from, [z]);
    });
  }

  async run(): Promise<Progress> {
    const coarse = this.frames.low((index, frame) => this.takeCoarse(index, frame)).catch(() => undefined); // full slices come anyway
    await Promise.race([coarse, this.pause()]);
    await Promise.all([coarse, ...Array.from({ length: AT_ONCE }, () => this.work())]);
    this.stopIfAborted();
    this.wishes.onProgress(this.progress);
    return this.progress;
  }

  private get progress(): Progress {
    const { quality } = this.volume;
    let [full, seen] = [0, 0];
    for (const slice of quality) {
      if (slice >= LOSSY) full++;
      if (slice > 0) seen++;
    }
    return { full, seen, total: quality.length, failed: this.failed };
  }

  /** A moment's start for the coarse levels: they are what the reader sees first. */
  private pause(): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, 50));
  }

  private takeCoarse(index: number, frame: DecodedFrame): void {
    if (this.wishes.signal.aborted) return;
    for (const z of this.slicesOf.get(index) ?? []) this.writer.writeCoarse(z, frame);
    this.tell();
  }

  private async work(): Promise<void> {
    for (let z = this.next(); z !== null; z = this.next()) {
      this.stopIfAborted();
      const { from, to } = this.plan.sources[z];
      try {
        const [a, b] = await Promise.all([this.bring(from), this.bring(to)]);
        this.stopIfAborted();
        this.writer.writeFull(z, a, b);
      } catch (error) {
        if (isFinal(error)) throw error;
        this.failed++;
      }
      this.tell();
    }
  }

  private next(): number | null {
    const eye = this.wishes.eye();
    let best: number | null = null;
    for (const z of this.missing) {
      if (best === null || Math.abs(z - eye) < Math.abs(best - eye)) best = z;
    }
    if (best !== null) this.missing.delete(best);
    return best;
  }

  private bring(index: number): Promise<DecodedFrame> {
    const known = this.kept.get(index);
    if (known) return known;
    const coming = this.frames.frame(index, this.wishes.signal);
    this.kept.set(index, coming);
    if (this.kept.size > KEPT_FRAMES) {
      const [oldest] = this.kept.keys();
      this.kept.delete(oldest);
    }
    return coming;
  }

  private stopIfAborted(): void {
    if (this.wishes.signal.aborted) throw new FilmFault('aborted', 'the volume is not wanted any more');
  }

  private tell(): void {
    if (!this.isTold) return;
    this.isTold = false;
    setTimeout(() => {
      this.isTold = true;
      if (!this.wishes.signal.aborted) this.wishes.onProgress(this.progress);
    }, 0);
  }
}

/** Faults after which no other frame will come either. */
function isFinal(error: unknown): boolean {
  return !(error instanceof FilmFault) || error.kind === 'denied' || error.kind === 'aborted';
}
