/** Voxels → texture bytes: two 8-bit channels, for no card is without them, and their linear filtering is exact as one. */

import type { VolumeData } from '../../volume/volume';

/** What a texture of the volume is like: every `by` voxels along each axis are one texel, their mean. */
export interface TexturePlan {
  readonly by: readonly [number, number, number];
  readonly size: readonly [number, number, number];
  /** Output values that 0 and 65535 stand for. */
  readonly low: number;
  readonly high: number;
}

/** The largest texture within `mostTexels` and `longest` in every direction; in-plane resolution goes first. */
export function planTexture(
  { size }: VolumeData,
  range: readonly [number, number],
  longest: number,
  mostTexels: number,
): TexturePlan {
  const by: [number, number, number] = [1, 1, 1];
  const sizeOf = (): [number, number, number] =>
    size.map((n, axis) => Math.ceil(n / by[axis])) as [number, number, number];
  for (
    let now = sizeOf();
    now.some((n) => n > longest) || now[0] * now[1] * now[2] > mostTexels;
    now = sizeOf()
  ) {
    const axis = now.indexOf(Math.max(...now));
    by[axis] *= 2;
  }
  return { by, size: sizeOf(), low: range[0], high: range[1] };
}

/** Bytes of texel slice `z`: high and low byte of every texel. */
export function texelsOf(volume: VolumeData, { by, size, low, high }: TexturePlan, z: number): Uint8Array {
  const { data, slope, intercept } = volume;
  const [columns, rows, slices] = volume.size;
  const bytes = new Uint8Array(size[0] * size[1] * 2);
  const gain = (slope / (high - low)) * 65535;
  const offset = ((intercept - low) / (high - low)) * 65535;
  const lastZ = Math.min((z + 1) * by[2], slices);
  for (let ty = 0, at = 0; ty < size[1]; ty++) {
    const lastY = Math.min((ty + 1) * by[1], rows);
    for (let tx = 0; tx < size[0]; tx++) {
      const lastX = Math.min((tx + 1) * by[0], columns);
      let [sum, count] = [0, 0];
      for (let k = z * by[2]; k < lastZ; k++) {
        for (let j = ty * by[1]; j < lastY; j++) {
          for (let i = tx * by[0]; i < lastX; i++) {
            sum += data[i + columns * (j + rows * k)];
            count++;
          }
        }
      }
      const value = (sum / count) * gain + offset;
      const word = value <= 0 ? 0 : value >= 65535 ? 65535 : Math.round(value);
      bytes[at++] = word >> 8;
      bytes[at++] = word & 255;
    }
  }
  return bytes;
}

/** Texel slices whose voxels changed since `before`, which is brought up to date. */
export function changedSlices(
  { quality }: VolumeData,
  { by, size }: TexturePlan,
  before: Uint8Array,
): number[] {
  const changed: number[] = [];
  for (let z = 0; z < size[2]; z++) {
    let isChanged = false;
    for (let k = z * by[2]; k < Math.min((z + 1) * by[2], quality.length); k++) {
      if (before[k] !== quality[k]) isChanged = true;
      before[k] = quality[k];
    }
    if (isChanged) changed.push(z);
  }
  return changed;
}
