/** Camera and crop → rays in voxels. Pure; both casters walk the same ones. */

import type { Size, Vector } from '../../math/coordinates';
import { scale } from '../../math/vector';
import { mapPoint, mapVector } from '../../volume/affine';
import { spacingOf, type VolumeData } from '../../volume/volume';
import { axesOf, type Camera, pixelOf, unproject } from './camera';
import type { Crop } from './look';

/** Ray of pixel (x, y) of a picture: from `origin + x · across + y · along`, `inwards` per mm; all in voxel coordinates. */
export interface Rays {
  readonly origin: Vector;
  readonly across: Vector;
  readonly along: Vector;
  readonly inwards: Vector;
  /** The crop, in voxel coordinates; outer faces of voxels. */
  readonly low: Vector;
  readonly high: Vector;
  /** The finest spacing, mm. */
  readonly voxel_mm: number;
}

export function raysOf(volume: VolumeData, camera: Camera, crop: Crop, picture: Size): Rays {
  const { right, down, inwards } = axesOf(camera);
  const mm = pixelOf(camera, picture);
  const corner = unproject(camera, picture, { x: 0.5, y: 0.5 });
  const ends = (which: 0 | 1): Vector =>
    volume.size.map((n, axis) => crop[axis][which] * n - 0.5) as unknown as Vector;
  return {
    origin: mapPoint(volume.toVoxel, corner),
    across: mapVector(volume.toVoxel, scale(right, mm)),
    along: mapVector(volume.toVoxel, scale(down, mm)),
    inwards: mapVector(volume.toVoxel, inwards),
    low: ends(0),
    high: ends(1),
    voxel_mm: Math.min(...spacingOf(volume)),
  };
}
