import { describe, expect, it } from 'vitest';
import { planeOf } from '../src/dicom/frame_plane';
import { edgeLetters, lettersOf } from '../src/dicom/orientation';
import { cutLine, frameNear, sharesSpace } from '../src/dicom/space';
import { toImage, toPatient } from '../src/math/plane';
import { scaleBarOf } from '../src/viewport/overlay';
import { flipped, placementOf, rotated, scaleOf, toScreen, WHOLE_IMAGE } from '../src/viewport/view';
import { frameInfo, seriesOf } from './samples';

const axial = frameInfo({
  rows: 100,
  columns: 200,
  spacing: [0.5, 0.25],
  position: [-25, -20, 30],
  orientation: [1, 0, 0, 0, 1, 0],
});
const stage = { width: 400, height: 400 };

/** The letters that stand around the picture in a view. */
function lettersIn(view: typeof WHOLE_IMAGE, frame = axial): string {
  const { a, b, c, d } = placementOf(frame, view, stage);
  const { top, right, bottom, left } = edgeLetters(frame, [a, b], [c, d]);
  return [top, right, bottom, left].join(' ');
}

describe('the letters at the edges', () => {
  it('are those of the patient, the main axis first', () => {
    expect(lettersOf([1, 0, 0])).toBe('L');
    expect(lettersOf([0, -0.8, 0.6])).toBe('AH');
    expect(lettersOf([-0.99, 0.1, 0])).toBe('R');
    expect(lettersIn(WHOLE_IMAGE)).toBe('A L P R');
  });

  it('turn and flip with the picture', () => {
    const right = rotated(WHOLE_IMAGE, 90);
    expect(lettersIn(right)).toBe('R A L P');
    expect(lettersIn(rotated(WHOLE_IMAGE, 180))).toBe('P R A L');
    expect(lettersIn(flipped(WHOLE_IMAGE, 'horizontal'))).toBe('A R P L');
    expect(lettersIn(flipped(WHOLE_IMAGE, 'vertical'))).toBe('P L A R');
    expect(lettersIn(flipped(right, 'horizontal'))).toBe('R P L A');
    expect(lettersIn(flipped(flipped(right, 'vertical'), 'vertical'))).toBe('R A L P');
  });

  it('come from the object where there are no cosines, and nonsense is none', () => {
    const chest = frameInfo({ patient_orientation: ['L', 'F'] });
    expect(lettersIn(WHOLE_IMAGE, chest)).toBe('H L F R');
    expect(lettersIn(WHOLE_IMAGE, frameInfo({ patient_orientation: ['<b>', 'F'] }))).toBe('H  F ');
  });
});

describe('space', () => {
  const plane = planeOf(axial);
  if (!plane) throw new Error('the frame has a plane');

  it('joins image and patient: the centre of the first pixel is the position', () => {
    expect(toPatient(plane, { x: 0.5, y: 0.5 })).toEqual([-25, -20, 30]);
    expect(toPatient(plane, { x: 4.5, y: 2.5 })).toEqual([-24, -19, 30]);
    expect(toImage(plane, [-24, -19, 77])).toEqual({ x: 4.5, y: 2.5 });
  });

  it('finds the slice that holds a point', () => {
    const stack = seriesOf([0, 5, 10, 15].map((z) => ({ ...axial, position: [-25, -20, z] as const })));
    expect(frameNear(stack, [0, 0, 11])).toBe(2);
    expect(frameNear(stack, [0, 0, 99])).toBe(3);
    const sideways = { ...axial, position: [300, -20, 11] as const };
    expect(frameNear(seriesOf([...stack.frames, sideways]), [0, 0, 11])).toBe(2);
    expect(frameNear(seriesOf([frameInfo()]), [0, 0, 0])).toBeNull();
  });

  it('cuts one picture by another: a sagittal scout crosses an axial slice in a line', () => {
    const sagittal = frameInfo({
      rows: 300,
      columns: 300,
      spacing: [1, 1],
      position: [3, -150, 150],
      orientation: [0, 1, 0, 0, 0, -1],
    });
    const scout = planeOf(sagittal);
    if (!scout) throw new Error('the scout has a plane');
    const line = cutLine(scout, plane, axial);
    // the axial slice lies at z = 30 and reaches from y = −20.25 to y = 29.75
    const ys = line?.map(([, y]) => y).sort((a, b) => a - b);
    expect(ys?.[0]).toBeCloseTo(-20.25);
    expect(ys?.[1]).toBeCloseTo(29.75);
    expect(line?.every(([x, , z]) => Math.abs(x - 3) < 1e-9 && Math.abs(z - 30) < 1e-9)).toBe(true);
    expect(cutLine(plane, { ...plane, origin: [0, 0, 40] }, axial)).toBeNull();
    expect(cutLine(scout, { ...plane, origin: [100, 0, 30] }, axial)).toBeNull();
  });

  it('is one only for the same frame of reference', () => {
    const [a, b] = [seriesOf([]), seriesOf([])];
    expect(sharesSpace(a, b)).toBe(false);
    expect(sharesSpace({ ...a, frame_of_reference: '1' }, { ...b, frame_of_reference: '1' })).toBe(true);
  });
});

describe('a view', () => {
  it('fits the image lying on its side, and a bar of a round length', () => {
    const placement = placementOf(axial, rotated(WHOLE_IMAGE, 90), stage);
    // 50 mm × 50 mm: 200 columns over 400 px
    expect(scaleOf(placement)).toBeCloseTo(2);
    const corner = toScreen(placement, { x: 0, y: 0 });
    expect([corner.x, corner.y]).toEqual([expect.closeTo(400), expect.closeTo(0)]);
    expect(scaleBarOf(axial, placement, stage)).toEqual({ pixels: expect.closeTo(80), label: '1 cm' });
    expect(scaleBarOf(frameInfo(), placement, stage)).toBeNull();
  });
});
