import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, expect, it, vi } from 'vitest';
import { markedAsRgb, readJpegFrame } from '../src/decode/codec/jpeg_markers';
import { decode as decodeRaw } from '../src/decode/codec/raw';
import { decode as decodeRle } from '../src/decode/codec/rle';
import { toSamples } from '../src/decode/codec/samples';
import { decodeCoarse, decodeFrame } from '../src/decode/codec/table';
import { FilmFault } from '../src/faults';
import { hex } from './hex';
import { frameInfo } from './samples';

// outside a browser the codec's file is read by its path
vi.mock('@cornerstonejs/codec-openjph/wasm?url', () => ({
  default: createRequire(import.meta.url).resolve('@cornerstonejs/codec-openjph/wasm'),
}));

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

describe('native pixels', () => {
  const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
  const wide = { rows: 1, columns: 2 };
  const colour = { ...wide, samples: 3, bits_allocated: 8, bits_stored: 8, photometric: 'RGB' };

  it('in big-endian words', () => {
    const frame = frameInfo({ ...wide, big_endian: true, signed: true });
    expect(Array.from(decodeRaw(bytes(0xff, 0xfe, 1, 2), frame).data)).toEqual([-2, 258]);
    const deep = frameInfo({ rows: 1, columns: 1, bits_allocated: 32, bits_stored: 32, big_endian: true });
    expect(Array.from(decodeRaw(bytes(0, 1, 2, 3), deep).data)).toEqual([0x010203]);
  });

  it('of 8 bits in big-endian words, also an odd number of them', () => {
    const frame = frameInfo({ rows: 1, columns: 3, bits_allocated: 8, bits_stored: 8, big_endian: true });
    expect(Array.from(decodeRaw(bytes(2, 1, 0, 3), frame).data)).toEqual([1, 2, 3]);
    expect(() => decodeRaw(bytes(2, 1, 3), frame)).toThrow(FilmFault);
  });

  it('in planes', () => {
    const { data } = decodeRaw(bytes(1, 2, 3, 4, 5, 6), frameInfo({ ...colour, planar: 1 }));
    expect(Array.from(data)).toEqual([1, 3, 5, 2, 4, 6]);
  });

  it('with halved chrominance', () => {
    const frame = frameInfo({ ...colour, photometric: 'YBR_FULL_422' });
    const { data, photometric } = decodeRaw(bytes(10, 20, 128, 130), frame);
    expect(Array.from(data)).toEqual([10, 128, 130, 20, 128, 130]);
    expect(photometric).toBe('YBR_FULL_422');
    expect(() => decodeRaw(bytes(10, 20, 128), frame)).toThrow(FilmFault);
  });
});

describe('HTJ2K', () => {
  // 40 × 40 of int16, reversible, RPCL, one tile-part a level: imagecodecs.htj2k_encode(…, tlm=True, tilepart=1)
  const stream = new Uint8Array(readFileSync(new URL('htj2k_40.j2c', import.meta.url)));
  const levels = [184, 227, 285, 434, 849, 2218];
  const frame = frameInfo({ codec: 'htj2k', rows: 40, columns: 40 });

  it('decodes to the samples that were encoded', async () => {
    const { data } = await decodeFrame(stream, frame);
    expect([data[0], data[20 * 40 + 12], data[799], data.length]).toEqual([-1009, -802, -997, 1600]);
  });

  it.each([1, 2, 3])('decodes without its finest %i levels from the bytes up to the others', async (skip) => {
    const prefix = stream.subarray(0, levels[levels.length - 1 - skip]);
    const { data } = await decodeCoarse(prefix, frame, skip);
    expect(data).toEqual((await decodeCoarse(stream, frame, skip)).data);
    expect(data.length).toBe((40 / 2 ** skip) ** 2);
    const mean = (data as Int16Array).reduce((sum, value) => sum + value, 0) / data.length;
    expect(Math.abs(mean + 801)).toBeLessThan(10);
  });

  it('refuses a stream that is not what the manifest says', async () => {
    await expect(decodeCoarse(stream, frameInfo({ ...frame, columns: 41 }), 2)).rejects.toThrow(/manifest/);
    await expect(decodeFrame(stream.subarray(0, 60), frame)).rejects.toMatchObject({ kind: 'damaged' });
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
