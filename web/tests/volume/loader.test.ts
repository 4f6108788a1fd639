import { describe, expect, it } from 'vitest';
import { FilmFault } from '../../src/faults';
import type { DecodedFrame } from '../../src/frames/protocol';
import { emptyVolume, fillVolume, type Progress, type VolumeFrames } from '../../src/volume/loader';
import { planVolume } from '../../src/volume/plan';
import { FULL, resolutionOf } from '../../src/volume/volume';
import { decoded } from '../samples';
import { range, slicesAt } from './volumes';

const PIXELS = 48;

/** Frames whose samples are all 100 · (index + 1), or refused. */
function framesOf(other: Partial<VolumeFrames> = {}): VolumeFrames & { asked: number[] } {
  const asked: number[] = [];
  return {
    asked,
    low: async () => undefined,
    frame: async (index) => {
      asked.push(index);
      return decoded(new Uint16Array(PIXELS).fill(100 * (index + 1)));
    },
    ...other,
  };
}

function wishes(eye = 0, signal = new AbortController().signal) {
  const told: Progress[] = [];
  return { told, signal, eye: () => eye, onProgress: (progress: Progress) => void told.push(progress) };
}

describe('fillVolume', () => {
  it('begins where the eye is and ends with every slice', async () => {
    const plan = planVolume(slicesAt(range(20)));
    const volume = emptyVolume(plan);
    const frames = framesOf();
    const end = await fillVolume(plan, volume, frames, wishes(12));
    expect(frames.asked.slice(0, 3)).toEqual([12, 11, 13]);
    expect(end).toEqual({ full: 20, seen: 20, total: 20, failed: 0 });
    for (const z of range(20)) expect(volume.data[z * PIXELS + 7]).toBe(100 * (z + 1));
  });

  it('shows the coarse series before, and never over a full slice', async () => {
    const plan = planVolume(slicesAt(range(3), () => ({ columns: 8, rows: 6 })));
    const volume = emptyVolume(plan);
    const ramp: DecodedFrame = { ...decoded(Uint16Array.of(0, 40, 0, 40, 0, 40)), columns: 2, rows: 3 };
    let seen: number[] = [];
    const frames = framesOf({
      low: async (take) => {
        for (const index of range(3)) take(index, ramp);
        seen = [...volume.data.subarray(0, 8)];
        await new Promise((resolve) => setTimeout(resolve, 60)); // the full frames come meanwhile
        for (const index of range(3)) take(index, { ...ramp, columns: 3, rows: 2 });
      },
    });
    await fillVolume(plan, volume, frames, wishes());
    // samples of a wavelet level stand at pixels 0 and 4
    expect(seen).toEqual([0, 10, 20, 30, 40, 40, 40, 40]);
    expect([...volume.quality]).toEqual([FULL, FULL, FULL]);
    expect(volume.data[0]).toBe(100);
  });

  it('says of what a picture is made: coarse until all is there, lossy where a slice is', async () => {
    const plan = planVolume(slicesAt(range(3)));
    const volume = emptyVolume(plan);
    expect(resolutionOf(volume)).toBe('coarse');
    const exact = decoded(new Uint16Array(PIXELS));
    const lossy: DecodedFrame = { ...exact, resolution: 'lossy' };
    const frames = framesOf({ frame: async (index) => (index === 1 ? lossy : exact) });
    expect(await fillVolume(plan, volume, frames, wishes())).toMatchObject({ full: 3 });
    expect(resolutionOf(volume)).toBe('lossy');
    volume.quality.fill(FULL);
    expect(resolutionOf(volume)).toBe('full');
  });

  it('mixes uneven slices, and asks for each frame once', async () => {
    const plan = planVolume(slicesAt([0, 2, 4, 8, 10]));
    const volume = emptyVolume(plan);
    const frames = framesOf();
    await fillVolume(plan, volume, frames, wishes());
    expect(range(6).map((z) => volume.data[z * PIXELS])).toEqual([100, 200, 300, 350, 400, 500]);
    expect([...frames.asked].sort()).toEqual([0, 1, 2, 3, 4]);
  });

  it('means the pixels of a voxel', async () => {
    const plan = planVolume(slicesAt(range(3)), 300 - 50);
    const volume = emptyVolume(plan);
    const samples = Uint16Array.from(range(PIXELS));
    await fillVolume(plan, volume, framesOf({ frame: async () => decoded(samples) }), wishes());
    expect(plan.shrink).toBe(2);
    expect(volume.data[0]).toBe(Math.round((0 + 1 + 8 + 9) / 4));
    expect(volume.data[11]).toBe(Math.round((38 + 39 + 46 + 47) / 4));
  });

  it('counts slices that cannot be had, and stops when access ended', async () => {
    const plan = planVolume(slicesAt(range(5)));
    const refuse = (kind: 'damaged' | 'denied') =>
      framesOf({
        frame: async (index) => {
          if (index === 2) throw new FilmFault(kind, 'refused');
          return decoded(new Uint16Array(index === 4 ? 3 : PIXELS)); // the last one is too short
        },
      });
    const end = await fillVolume(plan, emptyVolume(plan), refuse('damaged'), wishes());
    expect(end).toMatchObject({ full: 3, failed: 2 });
    await expect(fillVolume(plan, emptyVolume(plan), refuse('denied'), wishes())).rejects.toMatchObject({
      kind: 'denied',
    });
  });

  it('stops when nobody wants it', async () => {
    const plan = planVolume(slicesAt(range(50)));
    const gone = new AbortController();
    const frames = framesOf();
    const ask = frames.frame;
    frames.frame = (index, signal) => {
      if (frames.asked.length === 6) gone.abort();
      return ask(index, signal);
    };
    const filling = fillVolume(plan, emptyVolume(plan), frames, wishes(0, gone.signal));
    await expect(filling).rejects.toMatchObject({ kind: 'aborted' });
    expect(frames.asked.length).toBeLessThan(15);
  });

  it('brings slices of different scale to one', async () => {
    const slopes = [0.5, 2, 1];
    const plan = planVolume(
      slicesAt(range(3), (z) => ({ slope: slopes[z], intercept: 0, unit: 'BQML', bits_stored: 16 })),
    );
    const volume = emptyVolume(plan);
    await fillVolume(plan, volume, framesOf(), wishes());
    for (const z of range(3)) {
      const value = volume.data[z * PIXELS] * volume.slope + volume.intercept;
      expect(Math.abs(value - 100 * (z + 1) * slopes[z])).toBeLessThanOrEqual(volume.slope / 2);
    }
  });
});
