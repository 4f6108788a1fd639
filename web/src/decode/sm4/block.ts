/**
 * SM4 block cipher, encryption direction only (GB/T 32907-2016, RFC 8998): all that counter mode needs.
 *
 * The S-box and the linear transform L are merged into four tables of 256 words, so one round is four look-ups.
 */

// GB/T 32907-2016, 6.2: the S-box, row by row.
const SBOX_HEX =
  'd690e9fecce13db716b614c228fb2c052b679a762abe04c3aa441326498606999c4250f491ef987a33540b43edcfac62' +
  'e4b31ca9c908e89580df94fa758f3fa64707a7fcf37317ba83593c19e6854fa8686b81b27164da8bf8eb0f4b70569d35' +
  '1e240e5e6358d1a225227c3b01217887d40046579fd327524c3602e7a0c4c89eeabf8ad240c738b5a3f7f2cef96115a1' +
  'e0ae5da49b341a55ad933230f58cb1e31df6e22e8266ca60c02923ab0d534e6fd5db3745defd8e2f03ff6a726d6c5b51' +
  '8d1baf92bbddbc7f11d95c411f105ad80ac13188a5cd7bbd2d74d012b8e5b4b08969974a0c96777e65b9f109c56ec684' +
  '18f07dec3adc4d2079ee5f3ed7cb3948';

const FK = [0xa3b1bac6, 0x56aa3350, 0x677d9197, 0xb27022dc];

const SBOX = Uint8Array.from({ length: 256 }, (_, i) =>
  Number.parseInt(SBOX_HEX.slice(2 * i, 2 * i + 2), 16),
);

const rotate = (x: number, n: number): number => (x << n) | (x >>> (32 - n));

/** S-box and L of a byte that stands at each of the four places of a word. */
export const [T0, T1, T2, T3] = [24, 16, 8, 0].map((shift) =>
  Int32Array.from({ length: 256 }, (_, i) => {
    const b = SBOX[i] << shift;
    return b ^ rotate(b, 2) ^ rotate(b, 10) ^ rotate(b, 18) ^ rotate(b, 24);
  }),
);

/** The 32 round keys of a 16-byte key. */
export function roundKeys(key: Uint8Array): Int32Array {
  if (key.length !== 16) throw new RangeError(`an SM4 key has 16 bytes, not ${key.length}`);
  const view = new DataView(key.buffer, key.byteOffset, 16);
  const k = Int32Array.from({ length: 36 });
  for (let i = 0; i < 4; i++) k[i] = view.getUint32(4 * i) ^ FK[i];
  for (let i = 0; i < 32; i++) {
    let ck = 0;
    for (let j = 0; j < 4; j++) ck = (ck << 8) | (((4 * i + j) * 7) & 255);
    const x = k[i + 1] ^ k[i + 2] ^ k[i + 3] ^ ck;
    const b =
      (SBOX[x >>> 24] << 24) | (SBOX[(x >>> 16) & 255] << 16) | (SBOX[(x >>> 8) & 255] << 8) | SBOX[x & 255];
    k[i + 4] = k[i] ^ b ^ rotate(b, 13) ^ rotate(b, 23);
  }
  return k.slice(4);
}

/** Encrypts the block held as four big-endian words in `input` into `output` (they may be the same array). */
export function encryptWords(keys: Int32Array, input: Int32Array, output: Int32Array): void {
  let a = input[0];
  let b = input[1];
  let c = input[2];
  let d = input[3];
  for (let i = 0; i < 32; i += 4) {
    let x = b ^ c ^ d ^ keys[i];
    a ^= T0[x >>> 24] ^ T1[(x >>> 16) & 255] ^ T2[(x >>> 8) & 255] ^ T3[x & 255];
    x = c ^ d ^ a ^ keys[i + 1];
    b ^= T0[x >>> 24] ^ T1[(x >>> 16) & 255] ^ T2[(x >>> 8) & 255] ^ T3[x & 255];
    x = d ^ a ^ b ^ keys[i + 2];
    c ^= T0[x >>> 24] ^ T1[(x >>> 16) & 255] ^ T2[(x >>> 8) & 255] ^ T3[x & 255];
    x = a ^ b ^ c ^ keys[i + 3];
    d ^= T0[x >>> 24] ^ T1[(x >>> 16) & 255] ^ T2[(x >>> 8) & 255] ^ T3[x & 255];
  }
  output[0] = d;
  output[1] = c;
  output[2] = b;
  output[3] = a;
}
