import { afterEach, describe, expect, it, vi } from 'vitest';
import { MEASURE_TOOLS } from '../../src/tools/measure';
import { handleMeasureKey } from '../../src/tools/measure/keys';
import { newUid } from '../../src/tools/measure/uid';
import { drag, measured, only, stageOn, type TestStage } from './stage';

const tool = (id: string) => {
  const found = MEASURE_TOOLS.find((one) => one.id === id);
  if (!found) throw new Error(`no tool ${id}`);
  return found;
};
const press = (key: string, other = {}) => ({
  ...{ key, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false },
  ...other,
});
const withLength = (): TestStage => {
  const stage = stageOn();
  drag(tool('length'), stage, [10, 10], [40, 10]);
  return stage;
};

afterEach(() => vi.useRealTimers());

describe('drawing', () => {
  it('length: in millimetres, each direction by its own spacing', () => {
    const stage = stageOn({ spacing: [2, 0.5] });
    drag(tool('length'), stage, [10, 10], [20, 20], [16, 12]);
    expect(measured(only(stage))).toEqual({ length: '5 mm' });
    expect(only(stage)).toMatchObject({
      kind: 'length',
      instance: '1.2.3',
      frame: 1,
      series: '1.2',
      revision: 1,
    });
    expect(stage.annotations.draft.value).toBeNull();
  });

  it('length: in pixels where nothing is known, and a tap draws nothing', () => {
    const stage = stageOn({ spacing: null, spacing_kind: 'none' });
    drag(tool('length'), stage, [50, 50], [50.2, 50.2]);
    expect(stage.annotations.all.value).toEqual([]);
    drag(tool('length'), stage, [10, 10], [13, 14]);
    expect(measured(only(stage))).toEqual({ length: '5 px' });
  });

  it('angle: two drags, in the patient and not in pixels', () => {
    const stage = stageOn({ spacing: [2, 0.5] });
    drag(tool('angle'), stage, [50, 20], [10, 20]);
    expect(stage.annotations.all.value).toEqual([]);
    expect(stage.annotations.draft.value?.points).toHaveLength(2);
    drag(tool('angle'), stage, [60, 60], [50, 30]); // 40 columns of 0.5 mm, 10 rows of 2 mm
    expect(measured(only(stage))).toEqual({ angle: '45 deg' });
  });

  it('angle: true on a picture without calibration whose pixels are not square', () => {
    const stage = stageOn({ spacing: null, spacing_kind: 'none', pixel_aspect: [4, 1] });
    drag(tool('angle'), stage, [50, 20], [10, 20]);
    drag(tool('angle'), stage, [50, 30]);
    expect(measured(only(stage))).toEqual({ angle: '45 deg' });
  });

  it('Cobb: two drags by touch', () => {
    const stage = stageOn();
    drag(tool('cobb'), stage, [20, 30], [60, 10]);
    drag(tool('cobb'), stage, [60, 90], [20, 70]);
    expect(measured(only(stage)).angle).toBe(
      `${Number(((2 * Math.atan(0.5) * 180) / Math.PI).toFixed(4))} deg`,
    );
  });

  it('an unfinished figure goes with Escape, with another tool, and on another frame', () => {
    const stage = stageOn();
    const { annotations: book } = stage;
    drag(tool('cobb'), stage, [20, 30], [60, 10]);
    expect(handleMeasureKey(press('Escape'), book)).toBe(true);
    expect(book.draft.value).toBeNull();
    drag(tool('cobb'), stage, [20, 30], [60, 10]);
    drag(tool('length'), stage, [20, 80], [60, 80]);
    expect(only(stage).kind).toBe('length');
    drag(tool('cobb'), stage, [20, 30], [60, 10]);
    const other = { ...stage, frame: { ...stage.frame, frame: 2 } };
    drag(tool('cobb'), other, [20, 30], [60, 10]);
    expect(book.draft.value?.points).toHaveLength(2);
    expect(book.draft.value?.frame).toBe(2);
  });

  it('a second finger, or Escape in the middle of a drag, leaves nothing', () => {
    const stage = stageOn();
    const held = tool('rectangle').start(stage, { x: 40, y: 40 });
    held?.move({ x: 90, y: 90 });
    expect(stage.annotations.visible.value).toHaveLength(1);
    held?.cancel?.();
    expect(stage.annotations.visible.value).toEqual([]);
    const again = tool('rectangle').start(stage, { x: 40, y: 40 });
    again?.move({ x: 90, y: 90 });
    handleMeasureKey(press('Escape'), stage.annotations);
    again?.move({ x: 95, y: 95 });
    again?.end?.({ x: 95, y: 95 });
    expect(stage.annotations.visible.value).toEqual([]);
  });

  it('probe: the value in HU with one tap', () => {
    const stage = stageOn({ slope: 1, intercept: -1024, unit: 'HU' }, (x) => x);
    drag(tool('probe'), stage, [30.5, 7]);
    expect(measured(only(stage))).toEqual({ value: '-994 HU' });
  });

  it('rectangle and ellipse: size in mm, values in HU', () => {
    const stage = stageOn({ intercept: -1000, unit: 'HU' }, (x) => 1000 + x);
    drag(tool('rectangle'), stage, [10, 20], [20, 40]);
    expect(measured(only(stage))).toEqual({
      area: '50 mm2',
      perimeter: '30 mm',
      mean: '14.5 HU',
      sd: `${Number(Math.sqrt(99 / 12).toFixed(4))} HU`,
      min: '10 HU',
      max: '19 HU',
    });
    stage.annotations.remove(only(stage).uid);
    drag(tool('ellipse'), stage, [10, 20], [20, 40]);
    expect(measured(only(stage))).toMatchObject({
      area: `${Number((Math.PI * 12.5).toFixed(4))} mm2`,
      mean: '14.5 HU',
    });
  });

  it('freehand: closes by itself; crossing itself it is drawn and not measured', () => {
    const stage = stageOn({}, () => 7);
    drag(tool('freehand'), stage, [10, 10], [30, 10], [30, 30], [10, 30]);
    expect(measured(only(stage))).toEqual({
      ...{ area: '100 mm2', perimeter: '40 mm', mean: '7', sd: '0', min: '7', max: '7' },
    });
    stage.annotations.remove(only(stage).uid);
    drag(tool('freehand'), stage, [10, 10], [30, 30], [30, 10], [10, 30]);
    expect(only(stage).measured).toEqual([]);
  });

  it('freehand: a line without end stays within what the record takes', () => {
    const stage = stageOn();
    const path = Array.from({ length: 9000 }, (_, i): [number, number] => [
      50 + 30 * Math.cos(i),
      50 + 30 * Math.sin(i),
    ]);
    drag(tool('freehand'), stage, ...path);
    expect(only(stage).points.length).toBeLessThanOrEqual(2000);
  });

  it('text and arrow: with the words that were asked for, or not at all', async () => {
    const stage = stageOn();
    stage.ask.mockResolvedValueOnce(' 结节 ').mockResolvedValueOnce(null).mockResolvedValueOnce('');
    drag(tool('text'), stage, [10, 10]);
    await vi.waitFor(() =>
      expect(only(stage)).toMatchObject({ kind: 'text', text: '结节', points: [[10, 10]] }),
    );
    stage.annotations.remove(only(stage).uid);
    drag(tool('arrow'), stage, [50, 50], [70, 60]);
    await Promise.resolve();
    expect(stage.annotations.visible.value).toEqual([]);
    drag(tool('arrow'), stage, [50, 50], [70, 60]);
    await vi.waitFor(() => expect(only(stage)).toMatchObject({ kind: 'arrow', text: '' }));
  });

  it('stays on the picture, and does nothing on one that has no name', () => {
    const stage = stageOn();
    drag(tool('length'), stage, [10, 10], [500, 10]);
    expect(only(stage).points[1]).toEqual([100, 10]);
    const nameless = stageOn({ instance: '' });
    expect(tool('length').start(nameless, { x: 10, y: 10 })).toBeNull();
  });

  it('colour and coarse pictures give sizes and no values', () => {
    for (const unlike of [{ photometric: 'RGB' }, { resolution: 'coarse' as const }]) {
      const stage = stageOn({ unit: 'HU' });
      const other = { ...stage, decoded: { ...stage.decoded, ...unlike } };
      drag(tool('rectangle'), other, [10, 20], [20, 40]);
      expect(Object.keys(measured(only(stage)))).toEqual(['area', 'perimeter']);
    }
  });
});

describe('changing what is drawn, with any measuring tool', () => {
  it('a handle', () => {
    const stage = withLength();
    drag(tool('ellipse'), stage, [43, 12], [43, 32]); // 3 pixels beside the end: the grip keeps its distance
    expect(only(stage).points).toEqual([
      [10, 10],
      [40, 30],
    ]);
    expect(only(stage).measured[0].value).toBeCloseTo(Math.hypot(30, 20) / 2);
    stage.annotations.undo();
    expect(measured(only(stage))).toEqual({ length: '15 mm' });
  });

  it('the whole, its values too', () => {
    const stage = stageOn({}, (x) => x);
    drag(tool('rectangle'), stage, [10, 20], [20, 40]);
    drag(tool('text'), stage, [10, 30], [40, 40]);
    expect(only(stage).points).toEqual([
      [40, 30],
      [50, 50],
    ]);
    expect(measured(only(stage)).mean).toBe('44.5');
    expect(stage.ask).not.toHaveBeenCalled();
  });

  it('the label, the figure staying', () => {
    const stage = withLength();
    const { uid, points } = only(stage);
    drag(tool('length'), stage, [45, 10], [45, 60]);
    expect(only(stage)).toMatchObject({ uid, points });
    expect(only(stage).label).toMatchObject({ x: 43.5, y: expect.closeTo(56.875, 3) });
  });

  it('a tap chooses; a press beside it begins a new one', () => {
    const stage = withLength();
    stage.annotations.select(null);
    drag(tool('rectangle'), stage, [25, 11]);
    expect(stage.annotations.selected.value).toBe(only(stage).uid);
    drag(tool('rectangle'), stage, [25, 50], [50, 70]);
    expect(stage.annotations.all.value).toHaveLength(2);
  });

  it('a double tap writes, two slow taps do not; a text without words goes', async () => {
    vi.useFakeTimers();
    const stage = withLength();
    stage.ask.mockResolvedValueOnce('主动脉');
    drag(tool('probe'), stage, [25, 10]);
    vi.advanceTimersByTime(800);
    drag(tool('probe'), stage, [25, 10]);
    expect(stage.ask).not.toHaveBeenCalled();
    drag(tool('probe'), stage, [25, 10]);
    await vi.waitFor(() => expect(only(stage).text).toBe('主动脉'));
  });

  it('a tap brings the values that a coarse picture could not give', () => {
    const stage = stageOn({}, () => 9);
    drag(
      tool('rectangle'),
      { ...stage, decoded: { ...stage.decoded, resolution: 'coarse' } },
      [10, 20],
      [20, 40],
    );
    drag(tool('rectangle'), stage, [15, 20]);
    expect(measured(only(stage)).mean).toBe('9');
  });

  it('Delete removes, Ctrl+Z brings back, typing stays typing', () => {
    const stage = withLength();
    const { annotations: book } = stage;
    expect(handleMeasureKey(press('Delete'), book)).toBe(true);
    expect(book.all.value).toEqual([]);
    expect(handleMeasureKey(press('Delete'), book)).toBe(false);
    expect(handleMeasureKey(press('z', { ctrlKey: true }), book)).toBe(true);
    expect(book.all.value).toHaveLength(1);
    expect(handleMeasureKey(press('Z', { metaKey: true, shiftKey: true }), book)).toBe(true);
    expect(book.all.value).toEqual([]);
    expect(handleMeasureKey(press('z'), book)).toBe(false);
    expect(handleMeasureKey(press('c', { ctrlKey: true }), book)).toBe(false);
  });
});

it('identifiers are DICOM UIDs, each its own', () => {
  const uids = Array.from({ length: 200 }, newUid);
  expect(new Set(uids).size).toBe(200);
  for (const uid of uids) expect(uid).toMatch(/^2\.25\.[1-9][0-9]{1,38}$/);
});
