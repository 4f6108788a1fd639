/** The markers of a JPEG stream (ISO/IEC 10918-1, annex B) that decide who decodes it and in which colours. */

import { FilmFault } from '../../faults';
import type { CodecHeader } from './samples';

export interface JpegFrame extends CodecHeader {
  readonly isLossless: boolean;
  /** The stream says itself whether its three components are RGB or YCbCr (Adobe's APP14). */
  readonly hasAdobeMarker: boolean;
}

const SOF_LOSSLESS = 0xc3;
const APP14 = 0xee;
const SOS = 0xda;

export function readJpegFrame(bytes: Uint8Array): JpegFrame {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < 4 || view.getUint16(0) !== 0xffd8) throw damaged('it does not start like one');
  let hasAdobeMarker = false;
  for (let at = 2; at + 10 <= bytes.length; ) {
    if (bytes[at] !== 0xff) throw damaged('a marker is missing');
    const marker = bytes[at + 1];
    if (marker === 0xff) {
      at++; // fill byte
      continue;
    }
    if (isStartOfFrame(marker)) {
      return {
        isLossless: marker === SOF_LOSSLESS,
        bitsPerSample: bytes[at + 4],
        height: view.getUint16(at + 5),
        width: view.getUint16(at + 7),
        componentCount: bytes[at + 9],
        hasAdobeMarker,
      };
    }
    if (marker === SOS) break;
    hasAdobeMarker ||= marker === APP14;
    at += 2 + view.getUint16(at + 2);
  }
  throw damaged('it has no frame header');
}

/** SOF0 … SOF15 without DHT (C4), JPG (C8) and DAC (CC). */
function isStartOfFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
}

/** The stream with an Adobe marker that says its three components are RGB, not YCbCr. */
export function markedAsRgb(bytes: Uint8Array): Uint8Array {
  const adobe = [0xff, APP14, 0, 14, 0x41, 0x64, 0x6f, 0x62, 0x65, 0, 100, 0, 0, 0, 0, 0];
  const marked = new Uint8Array(bytes.length + adobe.length);
  marked.set(bytes.subarray(0, 2));
  marked.set(adobe, 2);
  marked.set(bytes.subarray(2), 2 + adobe.length);
  return marked;
}

function damaged(why: string): FilmFault {
  return new FilmFault('damaged', `the JPEG stream is damaged: ${why}`);
}
