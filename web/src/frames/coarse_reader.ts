/** Reads low.bin from its beginning and decodes each frame as soon as its bytes are there (K2): first up to 32², then up to 64². */

import { sizeWithout } from '../decode/codec/samples';
import { decodeCoarse } from '../decode/codec/table';
import type { CoarseFrame, CoarsePart, SeriesRequest, Traffic } from './protocol';
import type { RangeReader } from './range_reader';

/** Plain bytes of one read: a quarter of a second at 9 Mbit/s, so that a picture comes soon and the next follows. */
const BLOCK = 256 * 1024;
/** Frames told at once. */
const BATCH = 64;

type Emit = (frames: CoarseFrame[], traffic: Traffic) => void;

/** Raises what `RangeReader.read` raises. A frame that cannot be decoded is left out: its full form will say why. */
export async function readCoarse(
  reader: RangeReader,
  request: SeriesRequest,
  signal: AbortSignal,
  emit: Emit,
): Promise<void> {
  const low = new Uint8Array(request.length);
  const todo = [...firstParts(request.parts), ...secondParts(request.parts)];
  let next = 0;
  const blocks = blocksOf(request);
  const read = ([start, end]: Block) => reader.read(request.pack, start, end, signal);
  let coming = read(blocks[0]);
  for (let b = 0; b < blocks.length; b++) {
    const { plain, fetched, milliseconds } = await coming;
    // the line is busy with the next block while this one is decoded
    if (b + 1 < blocks.length) {
      coming = read(blocks[b + 1]);
      coming.catch(() => undefined); // heard when it is awaited
    }
    const [start, end] = blocks[b];
    low.set(plain, start - request.offset);
    const arrived = end - request.offset;
    let traffic: Traffic = { fetched, milliseconds };
    let from = next;
    while (next < todo.length && todo[next].needs <= arrived) {
      next++;
      if (next - from < BATCH) continue;
      emit(await decodeAll(low, todo.slice(from, next)), traffic);
      traffic = { fetched: 0, milliseconds: 0 };
      from = next;
    }
    emit(await decodeAll(low, todo.slice(from, next)), traffic);
  }
}

interface Todo {
  readonly part: CoarsePart;
  /** Bytes from the beginning of low.bin. */
  readonly needs: number;
  readonly isSecond: boolean;
}

function firstParts(parts: readonly CoarsePart[]): Todo[] {
  const todo = parts.map((part) => ({ part, needs: part.at + part.length, isSecond: false }));
  return todo.sort((a, b) => a.needs - b.needs);
}

function secondParts(parts: readonly CoarsePart[]): Todo[] {
  const todo = parts
    .filter((part) => part.moreSkip !== null)
    .map((part) => ({ part, needs: part.moreAt + part.moreLength, isSecond: true }));
  return todo.sort((a, b) => a.needs - b.needs);
}

type Block = readonly [start: number, end: number];

/** Reads end where chunks do, so that no chunk is read twice. */
function blocksOf({ offset, length }: SeriesRequest): Block[] {
  const blocks: Block[] = [];
  for (let start = offset; start < offset + length; ) {
    const end = Math.min((Math.floor(start / BLOCK) + 1) * BLOCK, offset + length);
    blocks.push([start, end]);
    start = end;
  }
  return blocks;
}

async function decodeAll(low: Uint8Array, todo: readonly Todo[]): Promise<CoarseFrame[]> {
  const frames: CoarseFrame[] = [];
  for (const one of todo) {
    const frame = await decodeOne(low, one).catch(() => null);
    if (frame) frames.push(frame);
  }
  return frames;
}

async function decodeOne(low: Uint8Array, { part, isSecond }: Todo): Promise<CoarseFrame> {
  const skip = isSecond && part.moreSkip !== null ? part.moreSkip : part.skip;
  const stream = new Uint8Array(part.length + (isSecond ? part.moreLength : 0));
  stream.set(low.subarray(part.at, part.at + part.length));
  if (isSecond) stream.set(low.subarray(part.moreAt, part.moreAt + part.moreLength), part.length);
  const { data, photometric } = await decodeCoarse(stream, part.shape, skip);
  return {
    index: part.index,
    data,
    photometric,
    ...sizeWithout(part.shape, skip),
    resolution: 'coarse',
    fetched: 0,
  };
}
