/** Where an image stands on the screen. Pure; lengths on the screen in CSS pixels. */

import type { FrameInfo } from '../dicom/manifest';
import { clamp, type ImagePoint, type ScreenPoint, type Size } from '../math/coordinates';

/**
 * How the viewer looks at an image, in terms that do not depend on the screen: two screens of different size with the
 * same view show the same thing. `zoom` 1 fits the image; `centre` is what stands in the middle, as fractions of the
 * image's width and height; `rotation` in degrees clockwise; `flipped` mirrors left and right before the rotation.
 */
export interface View {
  readonly zoom: number;
  readonly centre: { readonly x: number; readonly y: number };
  readonly rotation: number;
  readonly flipped: boolean;
}

export const WHOLE_IMAGE: View = { zoom: 1, centre: { x: 0.5, y: 0.5 }, rotation: 0, flipped: false };
export const MIN_ZOOM = 0.2;
export const MAX_ZOOM = 40;

/** Image pixels → screen: x' = a·x + c·y + e, y' = b·x + d·y + f (the order of `setTransform`). */
export interface Placement {
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly d: number;
  readonly e: number;
  readonly f: number;
}

export function placementOf(frame: FrameInfo, view: View, stage: Size): Placement {
  const stretch = stretchOf(frame);
  const scale = fitScale(frame, view, stage) * view.zoom;
  const angle = (view.rotation * Math.PI) / 180;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const across = view.flipped ? -scale : scale;
  const [a, b] = [cos * across, sin * across];
  const [c, d] = [-sin * scale * stretch, cos * scale * stretch];
  const [x, y] = [view.centre.x * frame.columns, view.centre.y * frame.rows];
  return { a, b, c, d, e: stage.width / 2 - a * x - c * y, f: stage.height / 2 - b * x - d * y };
}

/** How much taller than wide a pixel is: by its spacing, else by its aspect ratio (PS3.3 C.7.6.3.1.7). */
function stretchOf({ spacing, pixel_aspect: aspect }: FrameInfo): number {
  const [vertical, horizontal] = spacing ?? aspect ?? [1, 1];
  return vertical > 0 && horizontal > 0 ? vertical / horizontal : 1;
}

/** CSS pixels per image column at which the turned image just fits the stage. */
function fitScale(frame: FrameInfo, view: View, stage: Size): number {
  const isOnItsSide = Math.round(view.rotation / 90) % 2 !== 0;
  const [width, height] = [frame.columns, frame.rows * stretchOf(frame)];
  const [across, down] = isOnItsSide ? [height, width] : [width, height];
  return Math.min(stage.width / across, stage.height / down);
}

/** The zoom at which one column is one device pixel. */
export function nativeZoom(frame: FrameInfo, view: View, stage: Size, pixelRatio: number): number {
  return clamp(1 / (fitScale(frame, view, stage) * pixelRatio), MIN_ZOOM, MAX_ZOOM);
}

/** CSS pixels per image column. */
export function scaleOf({ a, b }: Placement): number {
  return Math.hypot(a, b);
}

export function toScreen({ a, b, c, d, e, f }: Placement, point: ImagePoint): ScreenPoint {
  return { x: a * point.x + c * point.y + e, y: b * point.x + d * point.y + f };
}

export function toImage({ a, b, c, d, e, f }: Placement, point: ScreenPoint): ImagePoint {
  const determinant = a * d - b * c;
  const [x, y] = [point.x - e, point.y - f];
  return { x: (d * x - c * y) / determinant, y: (a * y - b * x) / determinant };
}

/** The view after the image was moved by (dx, dy) on the screen. */
export function panned(frame: FrameInfo, view: View, stage: Size, dx: number, dy: number): View {
  const middle = { x: stage.width / 2 - dx, y: stage.height / 2 - dy };
  const at = toImage(placementOf(frame, view, stage), middle);
  return {
    ...view,
    centre: { x: clamp(at.x / frame.columns, 0, 1), y: clamp(at.y / frame.rows, 0, 1) },
  };
}

/** The view magnified by `factor`, the image point under `anchor` staying where it is. */
export function zoomed(frame: FrameInfo, view: View, stage: Size, factor: number, anchor: ScreenPoint): View {
  const zoom = clamp(view.zoom * factor, MIN_ZOOM, MAX_ZOOM);
  const fixed = toImage(placementOf(frame, view, stage), anchor);
  const moved = toScreen(placementOf(frame, { ...view, zoom }, stage), fixed);
  return panned(frame, { ...view, zoom }, stage, anchor.x - moved.x, anchor.y - moved.y);
}

/** The view turned by `degrees` clockwise as the reader sees it. */
export function rotated(view: View, degrees: number): View {
  return { ...view, rotation: (((view.rotation + degrees) % 360) + 360) % 360 };
}

/** The view mirrored as the reader sees it, left to right or top to bottom. */
export function flipped(view: View, axis: 'horizontal' | 'vertical'): View {
  const rotation = axis === 'horizontal' ? -view.rotation : 180 - view.rotation;
  return rotated({ ...view, flipped: !view.flipped, rotation: 0 }, rotation);
}
