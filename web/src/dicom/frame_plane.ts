/** Where a frame lies in the patient. */

import type { Plane } from '../math/plane';
import { normalize } from '../math/vector';
import type { FrameInfo } from './manifest';

/** `null` when the object does not say where it lies, or says it with cosines that have no direction. */
export function planeOf({ position, orientation, spacing }: FrameInfo): Plane | null {
  if (!position || !orientation || !spacing) return null;
  const [a, b, c, d, e, f] = orientation;
  if (Math.hypot(a, b, c) < 1e-6 || Math.hypot(d, e, f) < 1e-6) return null;
  return { origin: position, right: normalize([a, b, c]), down: normalize([d, e, f]), spacing };
}
