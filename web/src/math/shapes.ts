/** Lengths, angles and areas of plane figures, in the unit of the coordinates that are given (mm or pixels). Pure. */

export interface Point2 {
  readonly x: number;
  readonly y: number;
}

export function distance(a: Point2, b: Point2): number {
  return Math.hypot(b.x - a.x, b.y - a.y);
}

/** Length of an open line, or with `closed` of the way round. */
export function pathLength(points: readonly Point2[], closed: boolean): number {
  let sum = 0;
  for (let i = 1; i < points.length; i++) sum += distance(points[i - 1], points[i]);
  return closed && points.length > 1 ? sum + distance(points[points.length - 1], points[0]) : sum;
}

/** The angle a–vertex–b in degrees, 0…180; `null` when an arm has no length. */
export function angleAt(a: Point2, vertex: Point2, b: Point2): number | null {
  return between({ x: a.x - vertex.x, y: a.y - vertex.y }, { x: b.x - vertex.x, y: b.y - vertex.y });
}

export type Line = readonly [Point2, Point2];

/**
 * Cobb's angle between two end plates in degrees, 0…180; `null` when a line has no length. Each line is taken in the
 * direction that leaves the axis between the two middles on the same side, so neither the order in which its ends were
 * drawn nor the turn of the picture matters, and curves beyond 90° are told from their supplement.
 */
export function cobbAngle(first: Line, second: Line): number | null {
  const [from, to] = [middle(first), middle(second)];
  const axis = { x: to.x - from.x, y: to.y - from.y };
  const [d1, d2] = [acrossAxis(axis, first), acrossAxis(axis, second)];
  const angle = between(d1, d2);
  const hasAxis = cross(axis, d1) !== 0 && cross(axis, d2) !== 0;
  return angle === null || hasAxis ? angle : Math.min(angle, 180 - angle);
}

function acrossAxis(axis: Point2, [a, b]: Line): Point2 {
  const direction = { x: b.x - a.x, y: b.y - a.y };
  return cross(axis, direction) < 0 ? { x: -direction.x, y: -direction.y } : direction;
}

function between(u: Point2, v: Point2): number | null {
  if (Math.hypot(u.x, u.y) === 0 || Math.hypot(v.x, v.y) === 0) return null;
  // the arc tangent keeps its digits near 0° and 180°, where the arc cosine loses half of them
  return (Math.atan2(Math.abs(cross(u, v)), u.x * v.x + u.y * v.y) * 180) / Math.PI;
}

/** The area inside a polygon that does not cross itself. */
export function polygonArea(points: readonly Point2[]): number {
  if (points.length < 3) return 0;
  const [origin] = points;
  let twice = 0;
  for (let i = 1; i + 1 < points.length; i++) {
    // taken from the first point: far from the origin the products would cancel badly
    const [a, b] = [points[i], points[i + 1]];
    twice += (a.x - origin.x) * (b.y - origin.y) - (b.x - origin.x) * (a.y - origin.y);
  }
  return Math.abs(twice) / 2;
}

/** Whether two sides of the closed polygon cross. */
export function crossesItself(points: readonly Point2[]): boolean {
  const n = points.length;
  for (let i = 0; i < n; i++) {
    for (let j = i + 2; j < n; j++) {
      if (i === 0 && j === n - 1) continue; // neighbours through the end
      if (isCrossing(points[i], points[i + 1], points[j], points[(j + 1) % n])) return true;
    }
  }
  return false;
}

function isCrossing(a: Point2, b: Point2, c: Point2, d: Point2): boolean {
  return side(a, b, c) * side(a, b, d) < 0 && side(c, d, a) * side(c, d, b) < 0;
}

function side(a: Point2, b: Point2, p: Point2): number {
  return Math.sign((b.x - a.x) * (p.y - a.y) - (b.y - a.y) * (p.x - a.x));
}

/** Area and way round of the rectangle between two opposite corners. */
export function rectangle(a: Point2, b: Point2): { readonly area: number; readonly perimeter: number } {
  const [width, height] = [Math.abs(b.x - a.x), Math.abs(b.y - a.y)];
  return { area: width * height, perimeter: 2 * (width + height) };
}

/** The ellipse in the box between two opposite corners; its way round by Ramanujan's second formula (error < 0.05 %). */
export function ellipse(a: Point2, b: Point2): { readonly area: number; readonly perimeter: number } {
  const [p, q] = [Math.abs(b.x - a.x) / 2, Math.abs(b.y - a.y) / 2];
  const h = p + q > 0 ? ((p - q) / (p + q)) ** 2 : 0;
  return {
    area: Math.PI * p * q,
    perimeter: Math.PI * (p + q) * (1 + (3 * h) / (10 + Math.sqrt(4 - 3 * h))),
  };
}

/** Distance of `p` from the piece of line between `a` and `b`. */
export function distanceToSegment(p: Point2, a: Point2, b: Point2): number {
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  const squared = dx * dx + dy * dy;
  const along = squared > 0 ? Math.min(1, Math.max(0, ((p.x - a.x) * dx + (p.y - a.y) * dy) / squared)) : 0;
  return Math.hypot(p.x - a.x - along * dx, p.y - a.y - along * dy);
}

export function middle([a, b]: Line): Point2 {
  return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
}

function cross(u: Point2, v: Point2): number {
  return u.x * v.y - u.y * v.x;
}
