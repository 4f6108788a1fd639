import { describe, expect, it } from 'vitest';
import { calibrationAt } from '../../src/dicom/calibration';
import type { Region } from '../../src/dicom/manifest';
import { frameInfo } from '../samples';

const region = (other: Partial<Region> = {}): Region => ({
  ...{ x0: 0, y0: 0, x1: 99, y1: 99, dx: 0.02, dy: 0.03, unit_x: 'cm', unit_y: 'cm' },
  ...other,
});
const inside = [
  { x: 10, y: 10 },
  { x: 20, y: 20 },
];

describe('calibration', () => {
  it('is millimetres by row and column spacing', () => {
    const frame = frameInfo({ spacing: [2, 0.5], spacing_kind: 'patient' });
    expect(calibrationAt(frame, inside)).toEqual({ unit: 'mm', scale: [0.5, 2], aspect: 4, note: null });
  });

  it('says where lengths are those at the detector', () => {
    const frame = frameInfo({ spacing: [0.1, 0.1], spacing_kind: 'detector' });
    expect(calibrationAt(frame, inside)).toMatchObject({ unit: 'mm', scale: [0.1, 0.1], note: 'detector' });
  });

  it('is pixels where the object says nothing, with the shape of a pixel for angles', () => {
    expect(calibrationAt(frameInfo(), inside)).toEqual({
      unit: 'px',
      scale: [1, 1],
      aspect: 1,
      note: 'none',
    });
    expect(calibrationAt(frameInfo({ pixel_aspect: [3, 2] }), inside).aspect).toBe(1.5);
    expect(calibrationAt(frameInfo({ pixel_aspect: [3, 0] }), inside).aspect).toBe(1);
  });

  it('of an ultrasound region is its own, in centimetres per pixel', () => {
    const regions = [region(), region({ x0: 200, x1: 299, dx: 0.05, dy: -0.05 })];
    const frame = frameInfo({ regions, spacing: [9, 9], spacing_kind: 'patient' });
    expect(calibrationAt(frame, inside)).toEqual({
      unit: 'mm',
      scale: [0.2, 0.3],
      aspect: 0.3 / 0.2,
      note: null,
    });
    const second = inside.map(({ x, y }) => ({ x: x + 200, y }));
    expect(calibrationAt(frame, second)).toMatchObject({ unit: 'mm', scale: [0.5, 0.5] });
  });

  it('goes to the outer edge of the last pixel of a region, and no further', () => {
    const frame = frameInfo({ regions: [region()] });
    expect(calibrationAt(frame, [{ x: 100, y: 100 }]).unit).toBe('mm');
    expect(calibrationAt(frame, [{ x: 100.1, y: 100 }])).toMatchObject({ unit: 'px', note: 'outside' });
  });

  it('across regions, or where two disagree, is pixels', () => {
    const frame = frameInfo({ regions: [region(), region({ x0: 50, x1: 299, dx: 0.05 })] });
    expect(calibrationAt(frame, [inside[0], { x: 250, y: 10 }])).toMatchObject({
      unit: 'px',
      note: 'across',
    });
    expect(calibrationAt(frame, [{ x: 60, y: 10 }])).toMatchObject({ unit: 'px', note: 'across' });
    expect(calibrationAt(frame, [inside[0], { x: 500, y: 10 }])).toMatchObject({
      unit: 'px',
      note: 'across',
    });
  });

  it('in M mode and Doppler is pixels', () => {
    expect(calibrationAt(frameInfo({ regions: [region({ unit_x: 's' })] }), inside)).toMatchObject({
      ...{ unit: 'px', note: 'no-space' },
    });
    expect(calibrationAt(frameInfo({ regions: [region({ dx: 0 })] }), inside).unit).toBe('px');
  });
});
