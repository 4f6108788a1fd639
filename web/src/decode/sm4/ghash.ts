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
  let y0 = state[0];
  let y1 = state[1];
  let y2 = state[2];
  let y3 = state[3];
  for (let i = from; i < to; i += 16) {
    if (i + 16 <= to) {
      y0 ^= (data[i] << 24) | (data[i + 1] << 16) | (data[i + 2] << 8) | data[i + 3];
      y1 ^= (data[i + 4] << 24) | (data[i + 5] << 16) | (data[i + 6] << 8) | data[i + 7];
      y2 ^= (data[i + 8] << 24) | (data[i + 9] << 16) | (data[i + 10] << 8) | data[i + 11];
      y3 ^= (data[i + 12] << 24) | (data[i + 13] << 16) | (data[i + 14] << 8) | data[i + 15];
    } else {
      const tail = new Uint8Array(16);
      tail.set(data.subarray(i, to));
      const view = new DataView(tail.buffer);
      y0 ^= view.getInt32(0);
      y1 ^= view.getInt32(4);
      y2 ^= view.getInt32(8);
      y3 ^= view.getInt32(12);
    }
    let z0 = 0;
    let z1 = 0;
    let z2 = 0;
    let z3 = 0;
    for (let w = 0, base = 0; w < 4; w++) {
      const y = w === 0 ? y0 : w === 1 ? y1 : w === 2 ? y2 : y3;
      for (let shift = 24; shift >= 0; shift -= 8, base += 1024) {
        const t = base + ((y >>> shift) & 255) * 4;
        z0 ^= table[t];
        z1 ^= table[t + 1];
        z2 ^= table[t + 2];
        z3 ^= table[t + 3];
      }
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
