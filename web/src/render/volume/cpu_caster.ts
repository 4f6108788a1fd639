/** Volume rendering without a graphics card: the picture that the card is held against, and the one shown where it fails. */

import type { Size } from '../../math/coordinates';
import type { VolumeData } from '../../volume/volume';
import type { Camera } from './camera';
import { ENTRIES, type TransferTable, type VolumeLook } from './look';
import { type Rays, raysOf } from './rays';

const OPAQUE = 0xff000000;
const ENOUGH = 0.97; // opacity beyond which nothing behind is seen
const AMBIENT = 0.35;
const LIGHT = 0.75;

export interface Scene {
  readonly volume: VolumeData;
  readonly camera: Camera;
  readonly look: VolumeLook;
  readonly table: TransferTable;
  /** Steps along a ray in voxels: 1 for the picture, 2 while it moves. */
  readonly step: number;
}

/** Paints rows [from, to) of a picture of `size` into `pixels` (RGBA words). */
export function castRows(scene: Scene, size: Size, from: number, to: number, pixels: Uint32Array): void {
  const rays = raysOf(scene.volume, scene.camera, scene.look.crop, size);
  const cast = scene.table.mode === 'mip' ? castMip : castSurface;
  for (let y = from; y < to; y++) {
    for (let x = 0; x < size.width; x++) {
      pixels[y * size.width + x] = cast(scene, rays, x, y);
    }
  }
}

/** How far along a ray the crop begins and ends, mm; `null` when the ray misses it. */
function reachOf(rays: Rays, x: number, y: number): readonly [number, number] | null {
  let [near, far] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let axis = 0; axis < 3; axis++) {
    const start = rays.origin[axis] + x * rays.across[axis] + y * rays.along[axis];
    const by = rays.inwards[axis];
    const [a, b] = [rays.low[axis] - start, rays.high[axis] - start];
    if (Math.abs(by) < 1e-9) {
      if (a > 0 || b < 0) return null;
      continue;
    }
    near = Math.max(near, Math.min(a / by, b / by));
    far = Math.min(far, Math.max(a / by, b / by));
  }
  return far > near ? [near, far] : null;
}

/** Stored value at a voxel coordinate; beyond the outermost voxels their value holds. */
function valueAt({ data, size }: VolumeData, x: number, y: number, z: number): number {
  const [sx, sy, sz] = size;
  const cx = x < 0 ? 0 : x > sx - 1 ? sx - 1 : x;
  const cy = y < 0 ? 0 : y > sy - 1 ? sy - 1 : y;
  const cz = z < 0 ? 0 : z > sz - 1 ? sz - 1 : z;
  const ix = cx | 0;
  const iy = cy | 0;
  const iz = cz | 0;
  const right = ix < sx - 1 ? 1 : 0;
  const down = iy < sy - 1 ? sx : 0;
  const deep = iz < sz - 1 ? sx * sy : 0;
  const i = ix + sx * (iy + sy * iz);
  const fx = cx - ix;
  const fy = cy - iy;
  const a = data[i] + (data[i + right] - data[i]) * fx;
  const b = data[i + down] + (data[i + down + right] - data[i + down]) * fx;
  const j = i + deep;
  const c = data[j] + (data[j + right] - data[j]) * fx;
  const d = data[j + down] + (data[j + down + right] - data[j + down]) * fx;
  const near = a + (b - a) * fy;
  return near + (c + (d - c) * fy - near) * (cz - iz);
}

/** Entry of the table for a stored value. */
function entryOf({ slope, intercept }: VolumeData, { low, high }: TransferTable, stored: number): number {
  const at = ((stored * slope + intercept - low) / (high - low)) * (ENTRIES - 1);
  return at <= 0 ? 0 : at >= ENTRIES - 1 ? ENTRIES - 1 : Math.round(at);
}

function castMip({ volume, table, step }: Scene, rays: Rays, x: number, y: number): number {
  const reach = reachOf(rays, x, y);
  if (!reach) return OPAQUE;
  const [ox, oy, oz] = startOf(rays, x, y);
  const [dx, dy, dz] = rays.inwards;
  const by = step * rays.voxel_mm;
  const sign = volume.slope < 0 ? -1 : 1;
  let most = Number.NEGATIVE_INFINITY;
  for (let t = reach[0] + by / 2; t < reach[1]; t += by) {
    const value = sign * valueAt(volume, ox + t * dx, oy + t * dy, oz + t * dz);
    if (value > most) most = value;
  }
  if (most === Number.NEGATIVE_INFINITY) return OPAQUE;
  const i = 4 * entryOf(volume, table, sign * most);
  return OPAQUE | (table.rgba[i + 2] << 16) | (table.rgba[i + 1] << 8) | table.rgba[i];
}

function castSurface(scene: Scene, rays: Rays, x: number, y: number): number {
  const reach = reachOf(rays, x, y);
  if (!reach) return OPAQUE;
  const { volume, table, step } = scene;
  const [ox, oy, oz] = startOf(rays, x, y);
  const [dx, dy, dz] = rays.inwards;
  const by = step * rays.voxel_mm;
  let [red, green, blue, through] = [0, 0, 0, 1];
  for (let t = reach[0] + by / 2; t < reach[1] && through > 1 - ENOUGH; t += by) {
    const [px, py, pz] = [ox + t * dx, oy + t * dy, oz + t * dz];
    const i = 4 * entryOf(volume, table, valueAt(volume, px, py, pz));
    const root = table.rgba[i + 3] / 255;
    if (root === 0) continue;
    const opacity = 1 - (1 - root * root) ** by;
    const share = through * opacity * lightAt(scene, rays, px, py, pz);
    red += table.rgba[i] * share;
    green += table.rgba[i + 1] * share;
    blue += table.rgba[i + 2] * share;
    through *= 1 - opacity;
  }
  return OPAQUE | (level(blue) << 16) | (level(green) << 8) | level(red);
}

function level(value: number): number {
  return value > 255 ? 255 : Math.round(value);
}

function startOf({ origin, across, along }: Rays, x: number, y: number): readonly [number, number, number] {
  return [
    origin[0] + x * across[0] + y * along[0],
    origin[1] + x * across[1] + y * along[1],
    origin[2] + x * across[2] + y * along[2],
  ];
}

/** Light from where the reader stands, on surfaces of equal value: by the angle between gradient and ray. */
function lightAt({ volume }: Scene, { inwards }: Rays, x: number, y: number, z: number): number {
  const g = [
    valueAt(volume, x + 1, y, z) - valueAt(volume, x - 1, y, z),
    valueAt(volume, x, y + 1, z) - valueAt(volume, x, y - 1, z),
    valueAt(volume, x, y, z + 1) - valueAt(volume, x, y, z - 1),
  ];
  // gradient in the patient: the transpose of patient → voxel
  const m = volume.toVoxel;
  const [gx, gy, gz] = [0, 4, 8].map(
    (column) => m[column] * g[0] + m[column + 1] * g[1] + m[column + 2] * g[2],
  );
  const size = Math.hypot(gx, gy, gz);
  if (size === 0) return AMBIENT + LIGHT / 2;
  // along the ray the derivative is gradient · direction, in voxels as in the patient
  const facing = (g[0] * inwards[0] + g[1] * inwards[1] + g[2] * inwards[2]) / size;
  return AMBIENT + LIGHT * Math.abs(facing);
}
