/** Where an image stands on the screen. Pure; lengths on the screen in CSS pixels. */

import type { FrameInfo } from '../dicom/manifest';

declare const unit: unique symbol;
/** A point in image pixels: x by column, y by row, (0, 0) the outer corner of the first pixel. */
export type ImagePoint = { readonly x: number; readonly y: number; readonly [unit]?: 'image' };
/** A point on the stage in CSS pixels, (0, 0) its upper left corner. */
export type ScreenPoint = { readonly x: number; readonly y: number; readonly [unit]?: 'screen' };

export interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * How the viewer looks at an image, in terms that do not depend on the screen: two screens of different size with the
 * same view show the same thing. `zoom` 1 fits the image; `centre` is what stands in the middle, as fractions of the
 * image's width and height.
 */
export interface View {
  readonly zoom: number;
  readonly centre: { readonly x: number; readonly y: number };
}

export const WHOLE_IMAGE: View = { zoom: 1, centre: { x: 0.5, y: 0.5 } };
export const MIN_ZOOM = 0.2;
export const MAX_ZOOM = 40;

/** Image pixels → screen: `screen = origin + image × scale`, the two scales differ where pixels are not square. */
export interface Placement {
  readonly scaleX: number;
  readonly scaleY: number;
  readonly originX: number;
  readonly originY: number;
}

export function placementOf(frame: FrameInfo, view: View, stage: Size): Placement {
  const [rowSpacing, columnSpacing] = frame.spacing ?? [1, 1];
  const stretch = rowSpacing > 0 && columnSpacing > 0 ? rowSpacing / columnSpacing : 1;
  const fit = Math.min(stage.width / frame.columns, stage.height / (frame.rows * stretch));
  const scaleX = fit * view.zoom;
  const scaleY = scaleX * stretch;
  return {
    scaleX,
    scaleY,
    originX: stage.width / 2 - view.centre.x * frame.columns * scaleX,
    originY: stage.height / 2 - view.centre.y * frame.rows * scaleY,
  };
}

export function toImage(placement: Placement, point: ScreenPoint): ImagePoint {
  return {
    x: (point.x - placement.originX) / placement.scaleX,
    y: (point.y - placement.originY) / placement.scaleY,
  };
}

/** The view after the image was moved by (dx, dy) on the screen. */
export function panned(frame: FrameInfo, view: View, stage: Size, dx: number, dy: number): View {
  const { scaleX, scaleY } = placementOf(frame, view, stage);
  return {
    zoom: view.zoom,
    centre: {
      x: clamp(view.centre.x - dx / (frame.columns * scaleX), 0, 1),
      y: clamp(view.centre.y - dy / (frame.rows * scaleY), 0, 1),
    },
  };
}

/** The view magnified by `factor`, the image point under `anchor` staying where it is. */
export function zoomed(frame: FrameInfo, view: View, stage: Size, factor: number, anchor: ScreenPoint): View {
  const zoom = clamp(view.zoom * factor, MIN_ZOOM, MAX_ZOOM);
  const fixed = toImage(placementOf(frame, view, stage), anchor);
  const moved = placementOf(frame, { ...view, zoom }, stage);
  const dx = anchor.x - (moved.originX + fixed.x * moved.scaleX);
  const dy = anchor.y - (moved.originY + fixed.y * moved.scaleY);
  return panned(frame, { ...view, zoom }, stage, dx, dy);
}

export function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
