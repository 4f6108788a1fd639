/** SM4-GCM, opening only (RFC 8998 with NIST SP 800-38D; 96-bit nonce, 128-bit tag). */

import { encryptWords, roundKeys } from './block';
import { counterMode } from './counter_mode';
import { absorb, multiplicationTable } from './ghash';

export const TAG_LENGTH = 16;
const NONCE_LENGTH = 12;

/** The sealed bytes, their key, their place or their header do not belong together. Nothing was released. */
export class SealBroken extends Error {
  override readonly name = 'SealBroken';
}

/** One key with one additional data: what all chunks of a sealed object share, so it is prepared once. */
export class GcmOpener {
  private readonly keys: Int32Array;
  private readonly table: Int32Array;
  private readonly aadState = new Int32Array(4);
  private readonly aadLength: number;
  private readonly counter = new Int32Array(4);
  private readonly stream = new Int32Array(4);

  constructor(key: Uint8Array, aad: Uint8Array) {
    this.keys = roundKeys(key);
    const h = new Int32Array(4);
    encryptWords(this.keys, h, h);
    this.table = multiplicationTable(h);
    absorb(this.table, this.aadState, aad, 0, aad.length);
    this.aadLength = aad.length;
  }

  /**
   * Verifies `sealed` (ciphertext, then its tag) and writes the plaintext to `target` at `at`.
   * Raises `SealBroken` before a byte is written.
   */
  open(nonce: Uint8Array, sealed: Uint8Array, target: Uint8Array, at: number): void {
    if (nonce.length !== NONCE_LENGTH) throw new RangeError(`a nonce has 12 bytes, not ${nonce.length}`);
    const length = sealed.length - TAG_LENGTH;
    if (length < 0) throw new SealBroken('a sealed chunk is shorter than its tag');
    this.verify(nonce, sealed, length);
    const source = new DataView(sealed.buffer, sealed.byteOffset, length);
    const plain = new DataView(target.buffer, target.byteOffset + at, length);
    const pairs = length >>> 5;
    counterMode(this.keys, this.counter, 2, source, plain, pairs);
    for (let i = 32 * pairs; i < length; i += 16) {
      this.counter[3] = 2 + (i >>> 4);
      encryptWords(this.keys, this.counter, this.stream);
      const end = Math.min(16, length - i);
      for (let j = 0; j < end; j++) {
        target[at + i + j] = sealed[i + j] ^ (this.stream[j >> 2] >>> (24 - 8 * (j & 3)));
      }
    }
  }

  private verify(nonce: Uint8Array, sealed: Uint8Array, length: number): void {
    const state = this.aadState.slice();
    absorb(this.table, state, sealed, 0, length);
    const lengths = new Uint8Array(16);
    const bits = new DataView(lengths.buffer);
    bits.setUint32(4, this.aadLength * 8);
    bits.setUint32(8, Math.floor(length / 0x20000000));
    bits.setUint32(12, (length * 8) >>> 0);
    absorb(this.table, state, lengths, 0, 16);

    const view = new DataView(nonce.buffer, nonce.byteOffset, NONCE_LENGTH);
    for (let w = 0; w < 3; w++) this.counter[w] = view.getInt32(4 * w);
    this.counter[3] = 1;
    encryptWords(this.keys, this.counter, this.stream);
    const tag = new DataView(sealed.buffer, sealed.byteOffset + length, TAG_LENGTH);
    let difference = 0;
    for (let w = 0; w < 4; w++) difference |= state[w] ^ this.stream[w] ^ tag.getInt32(4 * w);
    if (difference !== 0) throw new SealBroken('the tag of a sealed chunk does not match');
  }
}
