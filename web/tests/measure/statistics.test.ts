import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FrameInfo } from '../../src/dicom/manifest';
import { type Area, statisticsIn, valueAt } from '../../src/dicom/pixel_statistics';
import { decoded, frameInfo, seriesOf } from '../samples';

const series = seriesOf([]);
const ct = { slope: 1, intercept: -1024, unit: 'HU' } as const;

/** A picture whose stored value is `value(x, y)`. */
function picture(
  rows: number,
  columns: number,
  value: (x: number, y: number) => number,
  other: Partial<FrameInfo>,
) {
  const data = new Uint16Array(rows * columns).map((_, i) => value(i % columns, Math.floor(i / columns)));
  return { frame: frameInfo({ rows, columns, signed: false, ...other }), samples: decoded(data) };
}

const box = (
  x0: number,
  y0: number,
  x1: number,
  y1: number,
  shape: 'rectangle' | 'ellipse' = 'rectangle',
): Area => ({
  shape,
  points: [
    { x: x0, y: y0 },
    { x: x1, y: y1 },
  ],
});

describe('values under a figure', () => {
  it('of a ramp have mean and deviation of an arithmetic series, in HU', () => {
    const { frame, samples } = picture(8, 16, (x) => 1000 + x, ct);
    const found = statisticsIn(samples, frame, series, box(12, 6, 2, 2));
    // columns 2…11, four rows: mean of 2…11 is 6.5, variance (n² − 1) / 12 with n = 10
    expect(found).toMatchObject({ count: 40, mean: -24 + 6.5, min: -22, max: -13, unit: 'HU' });
    expect(found?.sd).toBeCloseTo(Math.sqrt(99 / 12), 10);
  });

  it('count a pixel whose centre is inside, none twice', () => {
    const { frame, samples } = picture(4, 4, () => 1, {});
    const count = (area: Area) => statisticsIn(samples, frame, series, area)?.count ?? 0;
    expect(count(box(0.4, 0.4, 2.5, 2.5))).toBe(4);
    expect(count(box(0.5, 0.5, 1.5, 1.5)) + count(box(1.5, 0.5, 2.5, 1.5))).toBe(2);
    expect(count(box(-50, -50, 50, 50))).toBe(16);
    expect(count(box(1.1, 1.1, 1.3, 1.3))).toBe(0);
  });

  it('an ellipse and a polygon hold the pixels that a plain test of each centre finds', () => {
    const inEllipse = ([a, b]: Area['points'], x: number, y: number): boolean => {
      const [rx, ry] = [Math.abs(b.x - a.x) / 2, Math.abs(b.y - a.y) / 2];
      return ((x - (a.x + b.x) / 2) / rx) ** 2 + ((y - (a.y + b.y) / 2) / ry) ** 2 <= 1;
    };
    const inPolygon = (points: Area['points'], x: number, y: number): boolean => {
      let isIn = false;
      points.forEach((a, i) => {
        const b = points[(i + 1) % points.length];
        if (a.y > y !== b.y > y && x < a.x + ((y - a.y) / (b.y - a.y)) * (b.x - a.x)) isIn = !isIn;
      });
      return isIn;
    };
    const { frame, samples } = picture(24, 24, (x, y) => x + 24 * y, {});
    const place = fc.double({ min: -4, max: 28, noNaN: true });
    const points = fc.array(fc.record({ x: place, y: place }), { minLength: 3, maxLength: 8 });
    fc.assert(
      fc.property(points, fc.boolean(), (all, isEllipse) => {
        const area = isEllipse
          ? ({ shape: 'ellipse', points: [all[0], all[1]] } as const)
          : ({ shape: 'polygon', points: all } as const);
        const test = isEllipse ? inEllipse : inPolygon;
        const values = [...samples.data].filter((_, i) =>
          test(area.points, (i % 24) + 0.5, Math.floor(i / 24) + 0.5),
        );
        const found = statisticsIn(samples, frame, series, area);
        expect(found?.count ?? 0).toBe(values.length);
        if (!found) return;
        expect(found.mean).toBeCloseTo(values.reduce((sum, v) => sum + v, 0) / values.length, 8);
        expect(found.min).toBe(Math.min(...values));
        expect(found.max).toBe(Math.max(...values));
      }),
    );
  });

  it('keep the digits of a small deviation on a large mean', () => {
    const rescaled = { slope: 1e-3, intercept: 1e9 };
    const { frame, samples } = picture(2, 2, (x) => x, rescaled);
    expect(statisticsIn(samples, frame, series, box(0, 0, 2, 2))?.sd).toBeCloseTo(5e-4, 7);
  });

  it('leave out bits above the stored ones and take the sign from the highest', () => {
    const { frame, samples } = picture(1, 1, () => 0xf800, {
      ...ct,
      bits_stored: 12,
      signed: true,
      intercept: 0,
    });
    expect(valueAt(samples, frame, series, { x: 0.2, y: 0.9 })).toBe(-2048);
  });

  it('go through a modality table, and then have no unit of a straight line', () => {
    const tables = [{ first: 0, bits: 16, data: btoa('\u0007\u0000\u0009\u0000') }];
    const { frame, samples } = picture(1, 2, (x) => x, { ...ct, modality_lut: 0 });
    const found = statisticsIn(samples, frame, { tables }, box(0, 0, 2, 1));
    expect(found).toMatchObject({ mean: 8, min: 7, max: 9, unit: '' });
  });

  it('are none for colour, a coarse or lossy picture, and outside of it', () => {
    const { frame, samples } = picture(4, 4, () => 1, ct);
    const area = box(0, 0, 4, 4);
    expect(statisticsIn({ ...samples, photometric: 'PALETTE COLOR' }, frame, series, area)).toBeNull();
    expect(statisticsIn({ ...samples, resolution: 'coarse' }, frame, series, area)).toBeNull();
    expect(statisticsIn({ ...samples, resolution: 'lossy' }, frame, series, area)).toBeNull();
    expect(statisticsIn({ ...samples, data: new Uint16Array(4) }, frame, series, area)).toBeNull();
    expect(valueAt(samples, frame, series, { x: 4, y: 1 })).toBeNull();
    expect(valueAt(samples, frame, series, { x: -0.1, y: 1 })).toBeNull();
    expect(valueAt(samples, frame, series, { x: 3.9, y: 3.9 })).toBe(-1023);
  });
});
