/** What a reader points at in a rendered volume: the first point along the ray that stands out. Pure. */

import type { PatientPoint, ScreenPoint, Size } from '../../math/coordinates';
import { add, length, scale, subtract } from '../../math/vector';
import { mapPoint } from '../../volume/affine';
import { isInside, sampleAt } from '../../volume/sampling';
import { cornersOf, type VolumeData } from '../../volume/volume';
import { axesOf, type Camera, unproject } from './camera';
import { ENTRIES, rangeOf, tableOf, type VolumeLook } from './look';
import { raysOf } from './rays';

const CLEAR = 0.4; // opacity gathered along the ray

/** For a projection of greatest values: where the greatest one is. `null` when the ray meets nothing. */
export function pickSurface(
  volume: VolumeData,
  { camera, look }: { readonly camera: Camera; readonly look: VolumeLook },
  stage: Size,
  at: ScreenPoint,
): PatientPoint | null {
  const table = tableOf(look, rangeOf(volume));
  const { low, high, voxel_mm } = raysOf(volume, camera, look.crop, stage);
  const { inwards } = axesOf(camera);
  const middle = unproject(camera, stage, at);
  const reach = Math.max(...cornersOf(volume).map((corner) => length(subtract(corner, middle))));
  let [through, best, most] = [1, null as PatientPoint | null, Number.NEGATIVE_INFINITY];
  for (let t = -reach; t <= reach; t += voxel_mm) {
    const point = add(middle, scale(inwards, t)) as PatientPoint;
    const voxel = mapPoint(volume.toVoxel, point);
    const isShown = isInside(volume, voxel) && voxel.every((v, i) => v >= low[i] && v <= high[i]);
    if (!isShown) continue;
    const value = sampleAt(volume, voxel) * volume.slope + volume.intercept;
    if (table.mode === 'mip') {
      if (value > most) [best, most] = [point, value];
      continue;
    }
    const share = Math.min(Math.max((value - table.low) / (table.high - table.low), 0), 1);
    const root = table.rgba[4 * Math.round(share * (ENTRIES - 1)) + 3] / 255;
    through *= (1 - root * root) ** voxel_mm;
    if (1 - through > CLEAR) return point;
  }
  return best;
}
