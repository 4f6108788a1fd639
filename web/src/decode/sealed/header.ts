/** The immutable 64-byte header of a sealed object (docs: sealed pack, "Outside: the sealed object"). */

import { SealBroken, TAG_LENGTH } from '../sm4/gcm';
import { sm3 } from '../sm4/sm3';

export const HEADER_LENGTH = 64;
const MAGIC = 0x43465331; // "CFS1"
const SM4_GCM = 1;

export interface SealedHeader {
  readonly objectId: string;
  readonly noncePrefix: Uint8Array;
  /** Plaintext bytes in the object and in every chunk but the last. */
  readonly plainLength: number;
  readonly chunkLength: number;
  readonly chunkCount: number;
  /** SM3 of the header, the additional data of every chunk. */
  readonly digest: Uint8Array;
}

/** Reads a header. Raises `SealBroken` when it is not one that this reader knows. */
export function parseHeader(bytes: Uint8Array): SealedHeader {
  if (bytes.length !== HEADER_LENGTH) throw new SealBroken(`a header has 64 bytes, not ${bytes.length}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_LENGTH);
  const [algorithm, log2Chunk] = [view.getUint8(4), view.getUint8(5)];
  if (view.getUint32(0) !== MAGIC) throw new SealBroken('not a sealed object');
  if (algorithm !== SM4_GCM) throw new SealBroken(`algorithm ${algorithm} is not known`);
  if (log2Chunk < 12 || log2Chunk > 20) throw new SealBroken(`chunks of 2^${log2Chunk} bytes are not known`);
  const plainLength = view.getUint32(29) * 2 ** 32 + view.getUint32(33);
  if (!Number.isSafeInteger(plainLength)) throw new SealBroken('the plain length is out of range');
  const chunkLength = 2 ** log2Chunk;
  return {
    objectId: Array.from(bytes.subarray(6, 22), (b) => b.toString(16).padStart(2, '0')).join(''),
    noncePrefix: bytes.slice(22, 29),
    plainLength,
    chunkLength,
    chunkCount: Math.ceil(plainLength / chunkLength),
    digest: sm3(bytes),
  };
}

/** A run of whole chunks that covers some plain bytes, and where their ciphertext lies. */
export interface ChunkRange {
  readonly first: number;
  readonly last: number;
  /** Half-open byte range in the sealed object. */
  readonly cipherStart: number;
  readonly cipherEnd: number;
}

/** The chunks that hold the plain bytes [start, end). Raises `SealBroken` when the object does not reach that far. */
export function chunksOf(header: SealedHeader, start: number, end: number): ChunkRange {
  if (!(start >= 0 && start < end && end <= header.plainLength)) {
    throw new SealBroken(`bytes ${start}–${end} lie outside an object of ${header.plainLength}`);
  }
  const first = Math.floor(start / header.chunkLength);
  const last = Math.floor((end - 1) / header.chunkLength);
  const sealedChunk = header.chunkLength + TAG_LENGTH;
  return {
    first,
    last,
    cipherStart: HEADER_LENGTH + first * sealedChunk,
    cipherEnd: HEADER_LENGTH + last * sealedChunk + plainChunkLength(header, last) + TAG_LENGTH,
  };
}

export function plainChunkLength(header: SealedHeader, chunk: number): number {
  return Math.min(header.chunkLength, header.plainLength - chunk * header.chunkLength);
}
