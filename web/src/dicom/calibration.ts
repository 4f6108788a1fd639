/** How long a pixel is, at the place where something is measured. Pure. */

import type { ImagePoint } from '../math/coordinates';
import type { FrameInfo, Region } from './manifest';

export interface Calibration {
  readonly unit: 'mm' | 'px';
  /** Units per pixel: across a row (x) and down a column (y). */
  readonly scale: readonly [number, number];
  /** How tall a pixel is for its width: what angles need even where lengths are not known. */
  readonly aspect: number;
  readonly note: CalibrationNote | null;
}

/**
 * `detector`: lengths at the detector, larger than in the body (PS3.3 C.8.1.2.1, Imager Pixel Spacing);
 * `none`: the object does not say; `outside`, `across`: out of, or in more than one of, the calibrated regions of an
 * ultrasound picture; `no-space`: inside a region whose axes are not lengths (M mode, Doppler).
 */
export type CalibrationNote = 'detector' | 'none' | 'outside' | 'across' | 'no-space';

const MM_PER_CM = 10;

/** The calibration that holds for a figure with these points. */
export function calibrationAt(frame: FrameInfo, points: readonly ImagePoint[]): Calibration {
  const { spacing, spacing_kind: kind, regions } = frame;
  if (regions && regions.length > 0) return inRegions(frame, regions, points);
  if (!spacing || kind === 'none') return inPixels(frame, 'none');
  return {
    unit: 'mm',
    scale: [spacing[1], spacing[0]],
    aspect: spacing[0] / spacing[1],
    note: kind === 'detector' ? 'detector' : null,
  };
}

function inRegions(frame: FrameInfo, regions: readonly Region[], points: readonly ImagePoint[]): Calibration {
  const around = regions.filter((region) => points.every((point) => holds(region, point)));
  if (around.length === 0) {
    const touched = regions.some((region) => points.some((point) => holds(region, point)));
    return inPixels(frame, touched ? 'across' : 'outside');
  }
  const [region, ...others] = around;
  if (others.some((other) => !isAlike(region, other))) return inPixels(frame, 'across');
  const [dx, dy] = [Math.abs(region.dx) * MM_PER_CM, Math.abs(region.dy) * MM_PER_CM];
  const isSpace = region.unit_x === 'cm' && region.unit_y === 'cm' && isLength(dx) && isLength(dy);
  if (!isSpace) return inPixels(frame, 'no-space');
  return { unit: 'mm', scale: [dx, dy], aspect: dy / dx, note: null };
}

/** Regions name their first and last pixel (PS3.3 C.8.5.5.1.1); its outer edges belong to it. */
function holds({ x0, y0, x1, y1 }: Region, { x, y }: ImagePoint): boolean {
  return x >= x0 && x <= x1 + 1 && y >= y0 && y <= y1 + 1;
}

function isAlike(a: Region, b: Region): boolean {
  return a.dx === b.dx && a.dy === b.dy && a.unit_x === b.unit_x && a.unit_y === b.unit_y;
}

function isLength(value: number): boolean {
  return Number.isFinite(value) && value > 0;
}

function inPixels({ spacing, pixel_aspect }: FrameInfo, note: CalibrationNote): Calibration {
  const [vertical, horizontal] = spacing ?? pixel_aspect ?? [1, 1];
  const aspect = vertical / horizontal;
  return { unit: 'px', scale: [1, 1], aspect: isLength(aspect) ? aspect : 1, note };
}
