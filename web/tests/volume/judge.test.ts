/**
 * Cuts through a volume that another program made, written for it to judge (tests/story/test_volume_judge.py). Runs only when that
 * program asks: `CLOUDFILM_JUDGE` is a directory with `case.json` and `voxels.bin`.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { FrameInfo } from '../../src/dicom/manifest';
import { emptyVolume, fillVolume } from '../../src/volume/loader';
import { planVolume } from '../../src/volume/plan';
import { reslice, type SliceRequest } from '../../src/volume/reslice';
import { frameInfo, seriesOf } from '../samples';

const place = process.env.CLOUDFILM_JUDGE;

interface Case {
  readonly frames: readonly Partial<FrameInfo>[];
  readonly cuts: readonly SliceRequest[];
}

it.skipIf(!place)('cuts are written for the judge', async () => {
  const told = JSON.parse(readFileSync(`${place}/case.json`, 'utf8')) as Case;
  const file = readFileSync(`${place}/voxels.bin`);
  const voxels = new Int16Array(file.buffer.slice(file.byteOffset, file.byteOffset + file.length));
  const series = seriesOf(told.frames.map((frame) => frameInfo({ ...frame, signed: true })));
  const plan = planVolume(series);
  const volume = emptyVolume(plan);
  const size = series.frames[0].rows * series.frames[0].columns;
  const frame = async (index: number) => ({
    data: voxels.slice(index * size, (index + 1) * size),
    photometric: 'MONOCHROME2',
    fetched: 0,
  });
  const wishes = { signal: new AbortController().signal, eye: () => 0, onProgress: () => undefined };
  await fillVolume(plan, volume, { low: async () => undefined, frame }, wishes);
  for (const [i, request] of told.cuts.entries()) {
    const { frame: made, decoded } = reslice(volume, request);
    const values = Float32Array.from(decoded.data, (stored) => stored * made.slope + made.intercept);
    writeFileSync(`${place}/cut_${i}.bin`, Buffer.from(values.buffer));
    writeFileSync(
      `${place}/cut_${i}.json`,
      JSON.stringify({ position: made.position, orientation: made.orientation }),
    );
  }
  expect(told.cuts.length).toBeGreaterThan(0);
});
