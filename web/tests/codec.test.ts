import { describe, expect, it } from 'vitest';
import { markedAsRgb, readJpegFrame } from '../src/decode/codec/jpeg_markers';
import { decode as decodeRaw } from '../src/decode/codec/raw';
import { decode as decodeRle } from '../src/decode/codec/rle';
import { toSamples } from '../src/decode/codec/samples';
import { decodeFrame } from '../src/decode/codec/table';
import { FilmFault } from '../src/faults';
import { hex } from './hex';
import { frameInfo } from './samples';

/** An RLE frame of the given PackBits segments (PS3.5 G.5). */
function rle(...segments: number[][]): Uint8Array {
  const header = new DataView(new ArrayBuffer(64));
  header.setUint32(0, segments.length, true);
  let at = 64;
  segments.forEach((segment, i) => {
    header.setUint32(4 + 4 * i, at, true);
    at += segment.length;
  });
  return new Uint8Array([...new Uint8Array(header.buffer), ...segments.flat()]);
}

describe('RLE', () => {
  it('puts bytes together, the most significant segment first', () => {
    const frame = frameInfo({ rows: 2, columns: 2, signed: false });
    const { data } = decodeRle(rle([253, 1], [3, 10, 20, 30, 40]), frame); // a run of 4, four literals
    expect(Array.from(data)).toEqual([266, 276, 286, 296]);
  });

  it('puts planes together, pixel by pixel, and passes over the no-operation byte', () => {
    const frame = frameInfo({
      rows: 1,
      columns: 2,
      samples: 3,
      bits_allocated: 8,
      bits_stored: 8,
      photometric: 'RGB',
    });
    const { data, photometric } = decodeRle(rle([128, 1, 1, 2], [255, 9], [1, 5, 6]), frame);
    expect(Array.from(data)).toEqual([1, 9, 5, 2, 9, 6]);
    expect(photometric).toBe('RGB');
  });

  it.each([
    ['a segment that ends early', rle([1, 1, 2], [253, 1])],
    ['a literal that is cut', rle([253, 1], [3, 1])],
    ['another number of segments', rle([253, 1])],
    ['a cut header', new Uint8Array(10)],
  ])('refuses %s', (_, bytes) => {
    expect(() => decodeRle(bytes, frameInfo({ rows: 2, columns: 2 }))).toThrow(FilmFault);
  });
});

describe('samples', () => {
  const header = { width: 4, height: 1, componentCount: 1, bitsPerSample: 8 };

  it('widens bytes to the allocated bits, with their sign', () => {
    const bytes = Uint8Array.of(1, 127, 128, 255);
    const frame = { rows: 1, columns: 4 };
    expect(Array.from(toSamples(bytes, header, frameInfo({ ...frame, signed: true })))).toEqual([
      1, 127, -128, -1,
    ]);
    expect(Array.from(toSamples(bytes, header, frameInfo({ ...frame, signed: false })))).toEqual([
      1, 127, 128, 255,
    ]);
  });

  it('refuses a codestream that is not what the manifest says', () => {
    const bytes = new Uint8Array(8);
    for (const other of [{ rows: 2 }, { columns: 3 }, { samples: 3 }]) {
      expect(() => toSamples(bytes, header, frameInfo({ rows: 1, ...other }))).toThrow(/manifest/);
    }
    expect(() => toSamples(new Uint8Array(3), header, frameInfo({ rows: 1 }))).toThrow(/3 bytes/);
  });

  it('reads native pixels, and refuses too few', () => {
    const frame = frameInfo({ rows: 1, columns: 2 });
    expect(Array.from(decodeRaw(Uint8Array.of(0xff, 0xff, 1, 2), frame).data)).toEqual([-1, 513]);
    expect(() => decodeRaw(new Uint8Array(3), frame)).toThrow(FilmFault);
  });
});

describe('JPEG markers', () => {
  const sof = (marker: string, bits: string, components: string): Uint8Array =>
    hex(`ffd8ffe000044a46ff${marker}000b${bits}00100020${components}011100`);

  it('tell lossless from lossy, and the size', () => {
    expect(readJpegFrame(sof('c3', '10', '01'))).toEqual({
      isLossless: true,
      bitsPerSample: 16,
      height: 16,
      width: 32,
      componentCount: 1,
      hasAdobeMarker: false,
    });
    expect(readJpegFrame(sof('c0', '08', '03'))).toMatchObject({ isLossless: false, componentCount: 3 });
  });

  it('see the colour mark that was put in', () => {
    const stream = sof('c0', '08', '03');
    const marked = markedAsRgb(stream);
    expect(readJpegFrame(marked).hasAdobeMarker).toBe(true);
    expect(marked.length).toBe(stream.length + 16);
  });

  it.each(['', 'ffd8', '0000ffc0000b08', 'ffd8ffda00020000000000000000', 'ffd80000000000000000000000'])(
    'refuse "%s"',
    (text) => {
      expect(() => readJpegFrame(hex(text))).toThrow(FilmFault);
    },
  );
});

describe('the codec table', () => {
  it('says of a codec that it does not know it', async () => {
    for (const codec of ['mpeg4', 'constructor']) {
      await expect(decodeFrame(new Uint8Array(), frameInfo({ codec }))).rejects.toMatchObject({
        kind: 'unsupported',
      });
    }
  });

  it('decodes what it knows', async () => {
    const { data } = await decodeFrame(new Uint8Array(32).fill(1), frameInfo());
    expect(data).toEqual(new Int16Array(16).fill(257));
  });
});
