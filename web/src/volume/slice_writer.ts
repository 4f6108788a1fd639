/** Decoded frames → voxels of one slice, in place. */

import type { SampleArray } from '../dicom/samples';
import { FilmFault } from '../faults';
import type { DecodedFrame } from '../frames/protocol';
import type { VolumePlan } from './plan';
import { allocate, convert } from './sample_scale';
import { FULL, LOSSY, type VolumeData } from './volume';

export class SliceWriter {
  private readonly columns: number;
  private readonly rows: number;

  constructor(
    private readonly plan: VolumePlan,
    private readonly volume: VolumeData,
  ) {
    [this.columns, this.rows] = plan.size;
  }

  /** Slice `z` from its frames in full size. Raises `FilmFault('damaged')` for samples of another size. */
  writeFull(z: number, from: DecodedFrame, to: DecodedFrame): void {
    const { share } = this.plan.sources[z];
    const voxels = this.voxelsOf(z);
    const [a, b] = [from, to].map((frame, i) => this.samplesOf(z, i, frame));
    if (this.plan.shrink > 1) this.shrunk(a, b, share, voxels);
    else if (share > 0) mix(a, b, share, voxels);
    else voxels.set(a);
    const isExact = from.resolution !== 'lossy' && to.resolution !== 'lossy';
    this.volume.quality[z] = isExact ? FULL : LOSSY;
  }

  /**
   * Slice `z` from the coarse level of its first frame, unless something better stands there. A level of a wavelet
   * codestream has its samples at every 2ⁿ-th pixel, from the first on, not in the middle of blocks.
   */
  writeCoarse(z: number, coarse: DecodedFrame): void {
    const { series, scale, sources, shrink } = this.plan;
    const frame = series.frames[sources[z].from];
    const [width, height] = [coarse.columns ?? frame.columns, coarse.rows ?? frame.rows];
    if (coarse.data.length !== width * height || width < 1 || height < 1) return; // a full frame will come
    const quality = Math.min(width, LOSSY - 1);
    if (this.volume.quality[z] >= quality) return;
    const voxels = allocate(scale, width * height);
    convert(coarse.data, frame, scale, series, voxels);
    const across = placesOf(this.columns, shrink, frame.columns, width);
    const down = placesOf(this.rows, shrink, frame.rows, height);
    enlarge(voxels, width, across, down, this.voxelsOf(z));
    this.volume.quality[z] = quality;
  }

  private voxelsOf(z: number): SampleArray {
    const count = this.columns * this.rows;
    return this.volume.data.subarray(z * count, (z + 1) * count);
  }

  private samplesOf(z: number, which: number, { data, columns, rows }: DecodedFrame): SampleArray {
    const { series, scale, sources } = this.plan;
    const frame = series.frames[which === 0 ? sources[z].from : sources[z].to];
    const isWhole = (columns ?? frame.columns) === frame.columns && (rows ?? frame.rows) === frame.rows;
    if (!isWhole || data.length !== frame.columns * frame.rows) {
      throw new FilmFault(
        'damaged',
        `frame ${frame.number ?? frame.frame} has not the size that the series says`,
      );
    }
    const voxels = allocate(scale, data.length);
    convert(data, frame, scale, series, voxels);
    return voxels;
  }

  private shrunk(a: SampleArray, b: SampleArray, share: number, voxels: SampleArray): void {
    const { shrink, template } = this.plan;
    const count = shrink * shrink;
    for (let y = 0, at = 0; y < this.rows; y++) {
      for (let x = 0; x < this.columns; x++) {
        let [first, second] = [0, 0];
        for (let j = 0; j < shrink; j++) {
          const start = (y * shrink + j) * template.columns + x * shrink;
          for (let i = start; i < start + shrink; i++) {
            first += a[i];
            second += b[i];
          }
        }
        voxels[at++] = Math.round((first + (second - first) * share) / count);
      }
    }
  }
}

function mix(a: SampleArray, b: SampleArray, share: number, voxels: SampleArray): void {
  for (let i = 0; i < voxels.length; i++) voxels[i] = Math.round(a[i] + (b[i] - a[i]) * share);
}

interface Places {
  readonly low: Uint16Array;
  readonly high: Uint16Array;
  readonly share: Float32Array;
}

/** For every voxel of a row or column: between which samples of the coarse level it lies. */
function placesOf(voxels: number, shrink: number, pixels: number, coarse: number): Places {
  const step = 2 ** Math.round(Math.log2(pixels / coarse));
  const places = {
    low: new Uint16Array(voxels),
    high: new Uint16Array(voxels),
    share: new Float32Array(voxels),
  };
  for (let i = 0; i < voxels; i++) {
    const at = Math.min((i * shrink + (shrink - 1) / 2) / step, coarse - 1);
    places.low[i] = Math.floor(at);
    places.high[i] = Math.min(places.low[i] + 1, coarse - 1);
    places.share[i] = at - places.low[i];
  }
  return places;
}

function enlarge(from: SampleArray, width: number, across: Places, down: Places, to: SampleArray): void {
  const columns = across.low.length;
  let [upper, lower] = [new Float32Array(columns), new Float32Array(columns)];
  let lowerRow = -1;
  const widen = (row: number, line: Float32Array): void => {
    const start = row * width;
    for (let x = 0; x < columns; x++) {
      const value = from[start + across.low[x]];
      line[x] = value + (from[start + across.high[x]] - value) * across.share[x];
    }
  };
  let upperRow = -1;
  for (let y = 0, at = 0; y < down.low.length; y++) {
    if (down.low[y] !== upperRow) {
      if (down.low[y] === lowerRow) [upper, lower] = [lower, upper];
      else widen(down.low[y], upper);
      upperRow = down.low[y];
      lowerRow = down.high[y];
      widen(lowerRow, lower);
    }
    const share = down.share[y];
    for (let x = 0; x < columns; x++) to[at++] = upper[x] + (lower[x] - upper[x]) * share;
  }
}
