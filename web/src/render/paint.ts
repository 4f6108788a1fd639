/** Samples → RGBA pixels. Pure: the same code paints in tests without a canvas. */

import type { FrameInfo } from '../dicom/manifest';
import { greyOf, greyTable, isInvertedByNature, type Voi } from '../dicom/voi';
import { FilmFault } from '../faults';
import type { DecodedFrame } from '../frames/protocol';

const OPAQUE = 0xff000000;

/** Colours of a decoded frame that are RGB as they stand; the J2K transforms were undone by the decoder. */
const RGB = new Set(['RGB', 'YBR_ICT', 'YBR_RCT']);
/** YCbCr by pixel; RLE and JPEG-LS leave the conversion to the viewer. */
const YBR = new Set(['YBR_FULL', 'YBR_FULL_422']);

/** Whether a frame is seen through a VOI window. */
export function isGrey(photometric: string): boolean {
  return photometric.startsWith('MONOCHROME');
}

/**
 * Paints into `pixels` (one word per image pixel, as in ImageData on a little-endian machine).
 * Raises `FilmFault('unsupported')` for colours that are not known.
 */
export function paint(decoded: DecodedFrame, frame: FrameInfo, voi: Voi, pixels: Uint32Array): void {
  const { photometric } = decoded;
  if (frame.samples === 1 && isGrey(photometric)) paintGrey(decoded, frame, voi, pixels);
  else if (frame.samples === 3 && RGB.has(photometric)) paintRgb(decoded, frame, pixels);
  else if (frame.samples === 3 && YBR.has(photometric)) paintYbr(decoded, frame, pixels);
  else throw new FilmFault('unsupported', `photometric interpretation ${photometric} is not shown yet`);
}

function paintGrey(
  { data, photometric }: DecodedFrame,
  frame: FrameInfo,
  voi: Voi,
  pixels: Uint32Array,
): void {
  const isInverted = isInvertedByNature(photometric);
  if (frame.bits_allocated > 16) {
    for (let i = 0; i < pixels.length; i++) {
      const level = Math.round(greyOf(data[i] * frame.slope + frame.intercept, voi));
      pixels[i] = OPAQUE | ((isInverted ? 255 - level : level) * 0x010101);
    }
    return;
  }
  const levels = greyTable(frame, voi, isInverted);
  const table = Uint32Array.from(levels, (level) => OPAQUE | (level * 0x010101));
  const mask = table.length - 1;
  for (let i = 0; i < pixels.length; i++) pixels[i] = table[data[i] & mask];
}

function paintRgb({ data }: DecodedFrame, frame: FrameInfo, pixels: Uint32Array): void {
  const shift = Math.max(0, frame.bits_stored - 8);
  for (let i = 0, s = 0; i < pixels.length; i++, s += 3) {
    pixels[i] =
      OPAQUE |
      (((data[s + 2] >> shift) & 255) << 16) |
      (((data[s + 1] >> shift) & 255) << 8) |
      ((data[s] >> shift) & 255);
  }
}

/** DICOM PS3.3 C.7.6.3.1.2, the inverse of YBR_FULL (full range CCIR 601-2). */
function paintYbr({ data }: DecodedFrame, frame: FrameInfo, pixels: Uint32Array): void {
  const shift = Math.max(0, frame.bits_stored - 8);
  const rgb = new Uint8ClampedArray(3);
  for (let i = 0, s = 0; i < pixels.length; i++, s += 3) {
    const y = (data[s] >> shift) & 255;
    const cb = ((data[s + 1] >> shift) & 255) - 128;
    const cr = ((data[s + 2] >> shift) & 255) - 128;
    rgb[0] = y + 1.402 * cr;
    rgb[1] = y - 0.344136 * cb - 0.714136 * cr;
    rgb[2] = y + 1.772 * cb;
    pixels[i] = OPAQUE | (rgb[2] << 16) | (rgb[1] << 8) | rgb[0];
  }
}
