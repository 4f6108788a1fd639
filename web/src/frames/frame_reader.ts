/** Brings the plain bytes of a frame: its sealed range from the store or the network, opened, kept when it verified. */

import { type RangeStore, rangeKey } from '../cache/port';
import type { ChunkRange } from '../decode/sealed/header';
import { SealedObject } from '../decode/sealed/opener';
import { SealBroken } from '../decode/sm4/gcm';
import type { FrameInfo, SealedPack } from '../dicom/manifest';

/** Bytes [start, end) of a URL; raises `FilmFault`. */
export type RangeFetcher = (
  url: string,
  start: number,
  end: number,
  signal: AbortSignal,
) => Promise<Uint8Array>;

export interface FrameBytes {
  readonly plain: Uint8Array;
  /** Sealed bytes that came over the network: 0 when the store had them. */
  readonly fetched: number;
}

export class FrameReader {
  private readonly objects = new Map<string, SealedObject>();

  constructor(
    private readonly store: RangeStore,
    private readonly fetchRange: RangeFetcher,
  ) {}

  /** Raises `SealBroken`, and `FilmFault`: network, denied, aborted. */
  async read(pack: SealedPack, frame: FrameInfo, signal: AbortSignal): Promise<FrameBytes> {
    const object = this.objectOf(pack);
    const [start, end] = [frame.offset, frame.offset + frame.length];
    const range = object.rangeOf(start, end);
    const key = rangeKey(pack.object_id, range.first, range.last);
    const kept = await this.openKept(object, range, key);
    if (kept) return { plain: object.slice(kept, range, start, end), fetched: 0 };

    const sealed = await this.fetchRange(pack.url, range.cipherStart, range.cipherEnd, signal);
    const plain = object.open(range, sealed);
    void this.store.put(key, sealed); // only what verified; and the frame does not wait for the disk
    return { plain: object.slice(plain, range, start, end), fetched: sealed.length };
  }

  /** The range as the store has it; what rotted there counts as not there. */
  private async openKept(
    object: SealedObject,
    range: ChunkRange,
    key: string,
  ): Promise<Uint8Array | undefined> {
    const sealed = await this.store.get(key).catch(() => undefined);
    if (!sealed) return undefined;
    try {
      return object.open(range, sealed);
    } catch (error) {
      if (error instanceof SealBroken) return undefined;
      throw error;
    }
  }

  private objectOf(pack: SealedPack): SealedObject {
    const known = this.objects.get(pack.object_id);
    if (known) return known;
    const object = new SealedObject(pack);
    this.objects.set(pack.object_id, object);
    return object;
  }
}
