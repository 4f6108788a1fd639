/** Arrays of stored samples. */

export type SampleArray = Uint8Array | Uint16Array | Int16Array | Uint32Array | Int32Array;

/** Little-endian bytes viewed as samples of `bits`. */
export function viewOf(buffer: ArrayBuffer, bits: number, signed: boolean): SampleArray {
  switch (bits) {
    case 8:
      return new Uint8Array(buffer); // signed 8-bit values stay bit patterns; the window table gives them their sign
    case 16:
      return signed ? new Int16Array(buffer) : new Uint16Array(buffer);
    default:
      return signed ? new Int32Array(buffer) : new Uint32Array(buffer);
  }
}

/** The bytes of the samples, little-endian, as they stand in an uncompressed object. */
export function bytesOf(data: SampleArray): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
