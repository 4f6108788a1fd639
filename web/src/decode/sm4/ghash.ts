/**
 * GHASH over GF(2^128) (NIST SP 800-38D, 6.4), the authenticator of GCM.
 *
 * One multiplication by the hash key is 16 look-ups, one per byte, in a table of 64 kB that is built once per key.
 */

/** `table[(position * 256 + byte) * 4 …]` = byte, standing at that position of the block, times H. */
export function multiplicationTable(h: Int32Array): Int32Array {
  const table = new Int32Array(16 * 256 * 4);
  let [a, b, c, d] = h;
  for (let position = 0; position < 16; position++) {
    const base = position * 1024;
    for (let bit = 128; bit > 0; bit >>= 1) {
      table.set([a, b, c, d], base + bit * 4);
      const carry = d & 1;
      d = (d >>> 1) | (c << 31);
      c = (c >>> 1) | (b << 31);
      b = (b >>> 1) | (a << 31);
      a = (a >>> 1) ^ (carry ? 0xe1000000 : 0);
    }
    for (let byte = 1; byte < 256; byte++) {
      const low = byte & -byte;
      if (low === byte) continue;
      for (let w = 0; w < 4; w++) {
        table[base + byte * 4 + w] = table[base + low * 4 + w] ^ table[base + (byte ^ low) * 4 + w];
      }
    }
  }
  return table;
}

/** Absorbs `data[from, to)`, the last block padded with zeros, into the four words of `state`. */
export function absorb(
  table: Int32Array,
  state: Int32Array,
  data: Uint8Array,
  from: number,
  to: number,
): void {
  const whole = from + ((to - from) & ~15);
  absorbBlocks(table, state, new DataView(data.buffer, data.byteOffset + from, whole - from));
  if (whole === to) return;
  const tail = new Uint8Array(16);
  tail.set(data.subarray(whole, to));
  absorbBlocks(table, state, new DataView(tail.buffer));
}

function absorbBlocks(table: Int32Array, state: Int32Array, blocks: DataView): void {
  let y0 = state[0];
  let y1 = state[1];
  let y2 = state[2];
  let y3 = state[3];
  for (let i = 0; i < blocks.byteLength; i += 16) {
    y0 ^= blocks.getInt32(i);
    y1 ^= blocks.getInt32(i + 4);
    y2 ^= blocks.getInt32(i + 8);
    y3 ^= blocks.getInt32(i + 12);
    let z0 = 0;
    let z1 = 0;
    let z2 = 0;
    let z3 = 0;
    for (let w = 0, base = 0; w < 4; w++, base += 4096) {
      const y = w === 0 ? y0 : w === 1 ? y1 : w === 2 ? y2 : y3;
      const t0 = base + ((y >>> 22) & 1020);
      const t1 = base + 1024 + ((y >>> 14) & 1020);
      const t2 = base + 2048 + ((y >>> 6) & 1020);
      const t3 = base + 3072 + ((y << 2) & 1020);
      z0 ^= table[t0] ^ table[t1] ^ table[t2] ^ table[t3];
      z1 ^= table[t0 + 1] ^ table[t1 + 1] ^ table[t2 + 1] ^ table[t3 + 1];
      z2 ^= table[t0 + 2] ^ table[t1 + 2] ^ table[t2 + 2] ^ table[t3 + 2];
      z3 ^= table[t0 + 3] ^ table[t1 + 3] ^ table[t2 + 3] ^ table[t3 + 3];
    }
    y0 = z0;
    y1 = z1;
    y2 = z2;
    y3 = z3;
  }
  state[0] = y0;
  state[1] = y1;
  state[2] = y2;
  state[3] = y3;
}
