/** Samples → RGBA pixels. Pure: the same code paints in tests without a canvas. */

import { type Lut, lookUp, lutOf } from '../dicom/luts';
import type { FrameInfo, SeriesInfo } from '../dicom/manifest';
import { greyOf, greyTable, isInvertedByNature, type Look, outputValue, storedValue } from '../dicom/voi';
import { FilmFault } from '../faults';
import type { DecodedFrame } from '../frames/protocol';

const OPAQUE = 0xff000000;

/** Colours of a decoded frame that are RGB as they stand; the J2K transforms were undone by the decoder. */
const RGB = new Set(['RGB', 'YBR_ICT', 'YBR_RCT']);
/** YCbCr by pixel; RLE and JPEG-LS leave the conversion to the viewer. */
const YBR = new Set(['YBR_FULL', 'YBR_FULL_422']);

type Tables = Pick<SeriesInfo, 'tables'>;

/** Whether a frame is seen through a VOI window. */
export function isGrey(photometric: string): boolean {
  return photometric.startsWith('MONOCHROME');
}

/**
 * Paints into `pixels` (one word per image pixel, as in ImageData on a little-endian machine).
 * Raises `FilmFault('unsupported')` for colours that are not known.
 */
export function paint(
  decoded: DecodedFrame,
  frame: FrameInfo,
  look: Look,
  series: Tables,
  pixels: Uint32Array,
): void {
  const { photometric } = decoded;
  if (frame.samples === 1 && isGrey(photometric)) paintGrey(decoded, frame, look, series, pixels);
  else if (frame.samples === 3 && RGB.has(photometric)) paintRgb(decoded, frame, pixels);
  else if (frame.samples === 3 && YBR.has(photometric)) paintYbr(decoded, frame, pixels);
  else if (frame.samples === 1 && frame.palette) paintPalette(decoded, frame, series, pixels);
  else throw new FilmFault('unsupported', `photometric interpretation ${photometric} is not shown`);
  if (look.isInverted && !isGrey(photometric))
    for (let i = 0; i < pixels.length; i++) pixels[i] ^= 0x00ffffff;
}

function paintGrey(
  { data, photometric }: DecodedFrame,
  frame: FrameInfo,
  look: Look,
  series: Tables,
  pixels: Uint32Array,
): void {
  const isInverted = isInvertedByNature(photometric) !== look.isInverted;
  if (frame.bits_allocated > 16) {
    const modality = lutOf(series, frame.modality_lut);
    for (let i = 0; i < pixels.length; i++) {
      const value = outputValue(storedValue(data[i], frame), frame, modality);
      const level = Math.round(greyOf(value, look.voi, frame.voi_function));
      pixels[i] = OPAQUE | ((isInverted ? 255 - level : level) * 0x010101);
    }
    return;
  }
  const table = greyWords(frame, { ...look, isInverted }, series);
  const mask = table.length - 1;
  for (let i = 0; i < pixels.length; i++) pixels[i] = table[data[i] & mask];
}

let lastWords: {
  readonly key: string;
  readonly tables: SeriesInfo['tables'];
  readonly words: Uint32Array;
} | null = null;

/** Grey levels as pixels, by bit pattern. The next slice mostly looks as this one does: its table is the same. */
function greyWords(frame: FrameInfo, look: Look, series: Tables): Uint32Array {
  const key = [
    frame.bits_allocated,
    frame.bits_stored,
    frame.signed,
    frame.slope,
    frame.intercept,
    frame.modality_lut,
    frame.voi_lut,
    frame.voi_function,
    look.voi.center,
    look.voi.width,
    look.isInverted,
    look.usesVoiLut,
  ].join();
  if (lastWords?.key === key && lastWords.tables === series.tables) return lastWords.words;
  const levels = greyTable(frame, look, series);
  const words = new Uint32Array(levels.length);
  for (let i = 0; i < words.length; i++) words[i] = OPAQUE | (levels[i] * 0x010101);
  lastWords = { key, tables: series.tables, words };
  return words;
}

/** PS3.3 C.7.6.3.1.5: three tables, indexed by the sample. */
function paintPalette({ data }: DecodedFrame, frame: FrameInfo, series: Tables, pixels: Uint32Array): void {
  const [red, green, blue] = (frame.palette ?? []).map((index) => lutOf(series, index)) as [Lut, Lut, Lut];
  const table = new Uint32Array(2 ** Math.min(frame.bits_allocated, 16));
  const level = (lut: Lut, value: number): number => Math.round((lookUp(lut, value) * 255) / lut.max);
  for (let bits = 0; bits < table.length; bits++) {
    const value = storedValue(bits, frame);
    table[bits] = OPAQUE | (level(blue, value) << 16) | (level(green, value) << 8) | level(red, value);
  }
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
