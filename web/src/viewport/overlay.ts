/** What lies over an image: edge letters, scale bar, lines of other pictures, the place that was pointed at. */

import type { FrameInfo } from '../dicom/manifest';
import { edgeLetters } from '../dicom/orientation';
import type { ScreenPoint, Size } from '../math/coordinates';
import { type Placement, scaleOf } from './view';

type Context = CanvasRenderingContext2D;

const INK = '#e8eaed';
const HALO = 'rgba(0, 0, 0, 0.8)';
const MARGIN = 8;
const LEAST_STAGE = 160; // CSS pixels: in narrower cells a bar and its label would cover the picture
/** Millimetres that a scale bar may stand for. */
const BAR_LENGTHS = [1, 2, 5, 10, 20, 50, 100, 200];

export function drawText(
  context: Context,
  text: string,
  at: ScreenPoint,
  align: CanvasTextAlign,
  colour = INK,
): void {
  context.font = '13px system-ui, sans-serif';
  context.textAlign = align;
  context.textBaseline = 'middle';
  context.lineWidth = 3;
  context.strokeStyle = HALO;
  context.strokeText(text, at.x, at.y);
  context.fillStyle = colour;
  context.fillText(text, at.x, at.y);
}

/** Letters of the patient's sides, right after any turn or flip. */
export function drawEdgeLetters(context: Context, frame: FrameInfo, placement: Placement, stage: Size): void {
  const scale = scaleOf(placement);
  const across = [placement.a / scale, placement.b / scale] as const;
  const stretch = Math.hypot(placement.c, placement.d);
  const along = [placement.c / stretch, placement.d / stretch] as const;
  const letters = edgeLetters(frame, across, along);
  drawText(context, letters.top, { x: stage.width / 2, y: MARGIN + 8 }, 'center');
  drawText(context, letters.bottom, { x: stage.width / 2, y: stage.height - MARGIN - 8 }, 'center');
  drawText(context, letters.left, { x: MARGIN, y: stage.height / 2 }, 'left');
  drawText(context, letters.right, { x: stage.width - MARGIN, y: stage.height / 2 }, 'right');
}

/** A bar of a round length at the right edge; none where pixels have no size. */
export function drawScaleBar(context: Context, frame: FrameInfo, placement: Placement, stage: Size): void {
  const bar = scaleBarOf(frame, placement, stage);
  if (!bar) return;
  const x = stage.width - MARGIN - 14;
  const top = (stage.height - bar.pixels) / 2;
  for (const [colour, width] of [
    [HALO, 4],
    [INK, 1.5],
  ] as const) {
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.beginPath();
    context.moveTo(x, top);
    context.lineTo(x, top + bar.pixels);
    for (const end of [top, top + bar.pixels]) {
      context.moveTo(x - 5, end);
      context.lineTo(x, end);
    }
    context.stroke();
  }
  const note = frame.spacing_kind === 'detector' ? '*' : ''; // at the detector: larger than the body part
  drawText(context, `${bar.label}${note}`, { x: x - 8, y: top + bar.pixels / 2 - 14 }, 'right');
}

/** The longest round length that takes at most a quarter of the stage. */
export function scaleBarOf(
  frame: FrameInfo,
  placement: Placement,
  stage: Size,
): { readonly pixels: number; readonly label: string } | null {
  if (!frame.spacing || stage.width < LEAST_STAGE) return null;
  const perMm = scaleOf(placement) / frame.spacing[1];
  const fitting = BAR_LENGTHS.filter((mm) => mm * perMm <= stage.height / 4);
  const mm = fitting[fitting.length - 1];
  if (!mm) return null;
  return { pixels: mm * perMm, label: mm >= 10 ? `${mm / 10} cm` : `${mm} mm` };
}

export function drawLine(
  context: Context,
  [from, to]: readonly [ScreenPoint, ScreenPoint],
  colour: string,
  isDashed: boolean,
): void {
  context.save();
  context.setLineDash(isDashed ? [6, 5] : []);
  for (const [ink, width] of [
    [HALO, 3],
    [colour, 1.25],
  ] as const) {
    context.strokeStyle = ink;
    context.lineWidth = width;
    context.beginPath();
    context.moveTo(from.x, from.y);
    context.lineTo(to.x, to.y);
    context.stroke();
  }
  context.restore();
}

/** A cross with an open middle: what it marks stays in sight. */
export function drawMark(context: Context, at: ScreenPoint, colour: string): void {
  for (const [dx, dy] of [
    [1, 0],
    [-1, 0],
    [0, 1],
    [0, -1],
  ]) {
    const ends = [
      { x: at.x + dx * 6, y: at.y + dy * 6 },
      { x: at.x + dx * 18, y: at.y + dy * 18 },
    ] as const;
    drawLine(context, ends, colour, false);
  }
}
