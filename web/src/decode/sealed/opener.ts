/** Opens chunk ranges of one sealed object with its pixel key. Every tag is verified before a byte is released. */

import type { SealedPack } from '../../dicom/manifest';
import { GcmOpener, SealBroken, TAG_LENGTH } from '../sm4/gcm';
import { type ChunkRange, chunksOf, parseHeader, plainChunkLength, type SealedHeader } from './header';

export class SealedObject {
  readonly header: SealedHeader;
  private readonly gcm: GcmOpener;

  constructor(pack: SealedPack) {
    this.header = parseHeader(fromBase64(pack.header));
    if (this.header.objectId !== pack.object_id) {
      throw new SealBroken(`the header belongs to object ${this.header.objectId}, not ${pack.object_id}`);
    }
    this.gcm = new GcmOpener(fromBase64(pack.key), this.header.digest);
  }

  /** The chunks that hold the plain bytes [start, end). Raises `SealBroken` when the object is shorter. */
  rangeOf(start: number, end: number): ChunkRange {
    return chunksOf(this.header, start, end);
  }

  /** The chunks [first, last]. Raises `SealBroken` when the object has no such chunk. */
  rangeOfChunks(first: number, last: number): ChunkRange {
    const { chunkLength, plainLength } = this.header;
    return chunksOf(this.header, first * chunkLength, Math.min((last + 1) * chunkLength, plainLength));
  }

  /** Plain bytes of all chunks of a range. */
  plainLengthOf(range: ChunkRange): number {
    return range.cipherEnd - range.cipherStart - (range.last - range.first + 1) * TAG_LENGTH;
  }

  /** Writes the plain bytes of all chunks of `range` to `target`. Raises `SealBroken` before a wrong one is written. */
  open(range: ChunkRange, sealed: Uint8Array, target: Uint8Array): void {
    const expected = range.cipherEnd - range.cipherStart;
    if (sealed.length !== expected) {
      throw new SealBroken(`${sealed.length} sealed bytes came where ${expected} were asked for`);
    }
    const { header } = this;
    const nonce = new Uint8Array(12);
    nonce.set(header.noncePrefix);
    const counter = new DataView(nonce.buffer, 7);
    for (let chunk = range.first, from = 0, at = 0; chunk <= range.last; chunk++) {
      const length = plainChunkLength(header, chunk);
      counter.setUint32(0, chunk);
      counter.setUint8(4, chunk === header.chunkCount - 1 ? 1 : 0);
      this.gcm.open(nonce, sealed.subarray(from, from + length + TAG_LENGTH), target, at);
      from += length + TAG_LENGTH;
      at += length;
    }
  }
}

export function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
}
