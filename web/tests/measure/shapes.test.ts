import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  angleAt,
  cobbAngle,
  crossesItself,
  distance,
  distanceToSegment,
  ellipse,
  type Line,
  type Point2,
  pathLength,
  polygonArea,
  rectangle,
} from '../../src/math/shapes';

const at = (x: number, y: number): Point2 => ({ x, y });
const degrees = (d: number): Point2 => at(Math.cos((d * Math.PI) / 180), Math.sin((d * Math.PI) / 180));
/** A line through `middle` with a tilt in degrees. */
const tilted = (middle: Point2, tilt: number, half = 10): Line => {
  const d = degrees(tilt);
  return [at(middle.x - half * d.x, middle.y - half * d.y), at(middle.x + half * d.x, middle.y + half * d.y)];
};

const coordinate = fc.double({ min: -1000, max: 1000, noNaN: true });
const point = fc.record({ x: coordinate, y: coordinate });
/** A turn, a mirror or not, and a shift: what keeps lengths. */
const motion = fc
  .record({ turn: fc.double({ min: 0, max: 360, noNaN: true }), mirror: fc.boolean(), by: point })
  .map(({ turn, mirror, by }) => ({ x, y }: Point2): Point2 => {
    const d = degrees(turn);
    const sign = mirror ? -1 : 1;
    return at(d.x * x * sign - d.y * y + by.x, d.y * x * sign + d.x * y + by.y);
  });

describe('lengths and areas', () => {
  it('are those of school', () => {
    expect(distance(at(1, 2), at(4, 6))).toBe(5);
    const triangle = [at(0, 0), at(3, 0), at(0, 4)];
    expect(pathLength(triangle, true)).toBe(12);
    expect(pathLength(triangle, false)).toBe(8);
    expect(polygonArea(triangle)).toBe(6);
    expect(rectangle(at(5, 1), at(2, 3))).toEqual({ area: 6, perimeter: 10 });
    expect(ellipse(at(0, 0), at(6, 6)).area).toBeCloseTo(Math.PI * 9, 10);
    expect(ellipse(at(0, 0), at(6, 6)).perimeter).toBeCloseTo(Math.PI * 6, 10);
    // complete elliptic integral for half axes 3 and 1
    expect(ellipse(at(0, 0), at(6, 2)).perimeter).toBeCloseTo(13.36489, 3);
    expect(polygonArea([at(1, 1), at(2, 2)])).toBe(0);
    expect(distanceToSegment(at(5, 3), at(0, 0), at(10, 0))).toBe(3);
    expect(distanceToSegment(at(13, 4), at(0, 0), at(10, 0))).toBe(5);
    expect(distanceToSegment(at(3, 4), at(0, 0), at(0, 0))).toBe(5);
  });

  it('do not change when the figure is moved, turned or mirrored', () => {
    fc.assert(
      fc.property(fc.array(point, { minLength: 3, maxLength: 12 }), motion, (points, move) => {
        const moved = points.map(move);
        expect(polygonArea(moved)).toBeCloseTo(polygonArea(points), 4);
        expect(pathLength(moved, true)).toBeCloseTo(pathLength(points, true), 6);
      }),
    );
  });

  it('of a regular polygon come close to those of its circle', () => {
    const points = Array.from({ length: 720 }, (_, i) => degrees(i / 2)).map((p) =>
      at(1e5 + 7 * p.x, 7 * p.y),
    );
    expect(polygonArea(points)).toBeCloseTo(Math.PI * 49, 2);
    expect(pathLength(points, true)).toBeCloseTo(Math.PI * 14, 3);
  });

  it('tell a contour that crosses itself', () => {
    expect(crossesItself([at(0, 0), at(2, 0), at(2, 2), at(0, 2)])).toBe(false);
    expect(crossesItself([at(0, 0), at(2, 2), at(2, 0), at(0, 2)])).toBe(true);
    expect(crossesItself([at(0, 0), at(4, 0), at(2, 1), at(4, 3), at(0, 3)])).toBe(false);
  });
});

describe('angles', () => {
  it('between two arms', () => {
    expect(angleAt(at(1, 0), at(0, 0), at(0, 5))).toBeCloseTo(90, 12);
    expect(angleAt(at(1, 0), at(0, 0), at(-9, 0))).toBeCloseTo(180, 12);
    expect(angleAt(degrees(1e-6), at(0, 0), at(1, 0))).toBeCloseTo(1e-6, 12);
    expect(angleAt(at(0, 0), at(0, 0), at(1, 1))).toBeNull();
  });

  it('of Cobb, beyond 90° too, however the lines were drawn and the picture lies', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -70, max: 70, noNaN: true }),
        fc.double({ min: -70, max: 70, noNaN: true }),
        motion,
        fc.boolean(),
        fc.boolean(),
        (upper, lower, move, swapFirst, swapSecond) => {
          const [a, b] = tilted(at(100, 50), upper).map(move);
          const [c, d] = tilted(at(100, 250), lower).map(move);
          const first: Line = swapFirst ? [b, a] : [a, b];
          const second: Line = swapSecond ? [d, c] : [c, d];
          expect(cobbAngle(first, second)).toBeCloseTo(Math.abs(upper - lower), 6);
          expect(cobbAngle(second, first)).toBeCloseTo(Math.abs(upper - lower), 6);
        },
      ),
    );
  });

  it('of Cobb is the smaller one where lines cross in their middles, and none without length', () => {
    expect(cobbAngle(tilted(at(0, 0), 10), tilted(at(0, 0), 130))).toBeCloseTo(60, 10);
    expect(cobbAngle([at(1, 1), at(1, 1)], tilted(at(5, 5), 10))).toBeNull();
  });
});
