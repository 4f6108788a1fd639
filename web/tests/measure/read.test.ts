import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readAnnotation, readNotes } from '../../src/viewport/annotations/read';
import { lengthOf, sphere } from './samples';

const bad: Record<string, object> = {
  kind: { kind: 'spline' },
  uid: { uid: '../x' },
  'empty uid': { uid: '' },
  'points of one number': { points: [[1], [2]] },
  'too few points': { points: [[1, 1]] },
  'too many points': { points: Array.from({ length: 3 }, () => [1, 1]) },
  'a point that is no number': {
    points: [
      [1, '2'],
      [3, 4],
    ],
  },
  'a point at infinity': {
    points: [
      [1, Number.POSITIVE_INFINITY],
      [3, 4],
    ],
  },
  'a far point': {
    points: [
      [1, 1e7],
      [3, 4],
    ],
  },
  revision: { revision: 0 },
  'revision that is no integer': { revision: 1.5 },
  text: { text: 'x'.repeat(501) },
  'text that is an object': { text: { toString: 'x' } },
  label: { label: { x: 1 } },
  measured: { measured: [{ name: 'weight', value: 1, unit: 'kg' }] },
  'measured value': { measured: [{ name: 'length', value: null, unit: 'mm' }] },
  'long unit': { measured: [{ name: 'length', value: 1, unit: 'x'.repeat(17) }] },
  'many measures': { measured: Array(17).fill({ name: 'length', value: 1, unit: 'mm' }) },
  'no instance': { instance: null },
  frame: { frame: 0 },
  radius: { radius: 3 },
};

describe('annotations from outside', () => {
  it('that are sound are read as they are', () => {
    expect(readAnnotation(JSON.parse(JSON.stringify(lengthOf('a'))))).toEqual(lengthOf('a'));
    expect(readAnnotation(JSON.parse(JSON.stringify(sphere('s'))))).toEqual(sphere('s'));
    const { radius: _, label: __, ...short } = lengthOf('a');
    expect(readAnnotation({ ...short, onclick: 'x' })).toEqual(lengthOf('a'));
  });

  it.each(Object.entries(bad))('with a wrong %s are left out', (_, wrong) => {
    expect(readAnnotation({ ...lengthOf('a'), ...wrong })).toBeNull();
    expect(readNotes([{ ...lengthOf('a'), ...wrong }, lengthOf('b')])).toMatchObject({
      ...{ refused: 1, annotations: [{ uid: 'b' }] },
    });
  });

  it('of space have no frame, and a sphere a radius', () => {
    expect(readAnnotation({ ...sphere('s'), radius: null })).toBeNull();
    expect(readAnnotation({ ...sphere('s'), radius: -1 })).toBeNull();
    expect(readAnnotation({ ...sphere('s'), instance: '1' })).toBeNull();
  });

  it('are bounded in number', () => {
    const many = Array.from({ length: 700 }, (_, i) => lengthOf(`u${i}`));
    expect(readNotes(many)).toMatchObject({ refused: 200 });
  });

  it('never throw, whatever they are', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        readNotes(value);
        readNotes({ annotations: value, removed: value });
        readNotes([{ ...lengthOf('a'), points: value, label: value, measured: value }]);
      }),
    );
  });
});
