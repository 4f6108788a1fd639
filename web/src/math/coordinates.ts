/** Points in the three spaces of the viewer. The brands keep them from being mixed up; they cost nothing at run time. */

declare const space: unique symbol;

/** A point on the stage in CSS pixels, (0, 0) its upper left corner. */
export type ScreenPoint = { readonly x: number; readonly y: number; readonly [space]?: 'screen' };
/** A point in image pixels: x by column, y by row, (0, 0) the OUTER corner of the first pixel. */
export type ImagePoint = { readonly x: number; readonly y: number; readonly [space]?: 'image' };
/** Millimetres in the patient: x to the left, y to the back, z to the head (LPS, PS3.3 C.7.6.2.1.1). */
export type PatientPoint = readonly [number, number, number] & { readonly [space]?: 'patient' };
/** A direction or displacement in the patient. */
export type Vector = readonly [number, number, number];

export interface Size {
  readonly width: number;
  readonly height: number;
}

export function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
