/** How a rendered volume is looked at: along parallel rays, so that lengths do not depend on depth. Pure, JSON for live rooms. */

import { quat, vec3 } from 'gl-matrix';
import { clamp, type PatientPoint, type ScreenPoint, type Size, type Vector } from '../../math/coordinates';
import { add, dot, length, scale, subtract } from '../../math/vector';
import { cornersOf, middleOf, type VolumeData } from '../../volume/volume';

/** The same camera shows the same on screens of any size: `span_mm` fits the shorter side of the stage. */
export interface Camera {
  /** What stands in the middle of the stage. */
  readonly centre: PatientPoint;
  /** Unit quaternion (x, y, z, w): screen right, down and inwards → patient. */
  readonly rotation: readonly [number, number, number, number];
  readonly span_mm: number;
}

/** Unit vectors in the patient. */
export interface CameraAxes {
  readonly right: Vector;
  readonly down: Vector;
  readonly inwards: Vector;
}

const LEAST_SPAN = 2;
const WIDEST_SPAN = 5000;
const TURN_PER_STAGE = Math.PI; // dragging over the shorter side of the stage turns by half a circle

/** Where the reader stands: in front of the patient (A), behind (P), at the left, at the right, above, below. */
export const VIEWS = ['A', 'P', 'L', 'R', 'H', 'F'] as const;
export type ViewFrom = (typeof VIEWS)[number];

const RIGHT_DOWN: Record<ViewFrom, readonly [Vector, Vector]> = {
  A: [
    [1, 0, 0],
    [0, 0, -1],
  ],
  P: [
    [-1, 0, 0],
    [0, 0, -1],
  ],
  L: [
    [0, 1, 0],
    [0, 0, -1],
  ],
  R: [
    [0, -1, 0],
    [0, 0, -1],
  ],
  H: [
    [-1, 0, 0],
    [0, 1, 0],
  ],
  F: [
    [1, 0, 0],
    [0, 1, 0],
  ],
};

/** The whole volume from one side. */
export function cameraFrom(volume: VolumeData, side: ViewFrom): Camera {
  const centre = middleOf(volume);
  const corners = cornersOf(volume).map((corner) => subtract(corner, centre));
  const [right, down] = RIGHT_DOWN[side];
  const reach = (axis: Vector): number =>
    2 * Math.max(...corners.map((corner) => Math.abs(dot(corner, axis))));
  return {
    centre,
    rotation: rotationOf(right, down),
    span_mm: clamp(Math.max(reach(right), reach(down)) * 1.05, LEAST_SPAN, WIDEST_SPAN),
  };
}

/** The same place and size from another side. */
export function seenFrom(camera: Camera, side: ViewFrom): Camera {
  return { ...camera, rotation: rotationOf(...RIGHT_DOWN[side]) };
}

function rotationOf(right: Vector, down: Vector): Camera['rotation'] {
  const [x, y] = [right, down];
  const z: Vector = [x[1] * y[2] - x[2] * y[1], x[2] * y[0] - x[0] * y[2], x[0] * y[1] - x[1] * y[0]];
  return numbers(quat.fromMat3(quat.create(), [...x, ...y, ...z]));
}

function numbers(rotation: quat): Camera['rotation'] {
  quat.normalize(rotation, rotation);
  return [rotation[0], rotation[1], rotation[2], rotation[3]];
}

export function axesOf({ rotation }: Camera): CameraAxes {
  const along = (axis: Vector): Vector => {
    const [x, y, z] = vec3.transformQuat([0, 0, 0], [...axis], [...rotation]);
    return [x, y, z];
  };
  return { right: along([1, 0, 0]), down: along([0, 1, 0]), inwards: along([0, 0, 1]) };
}

/** mm per CSS pixel. */
export function pixelOf(camera: Camera, stage: Size): number {
  return camera.span_mm / Math.max(1, Math.min(stage.width, stage.height));
}

/** The point under a screen point in the plane through the centre, parallel to the screen. */
export function unproject(camera: Camera, stage: Size, at: ScreenPoint): PatientPoint {
  const mm = pixelOf(camera, stage);
  const { right, down } = axesOf(camera);
  const across = scale(right, (at.x - stage.width / 2) * mm);
  return add(add(camera.centre, across), scale(down, (at.y - stage.height / 2) * mm)) as PatientPoint;
}

export function project(camera: Camera, stage: Size, point: PatientPoint): ScreenPoint {
  const mm = pixelOf(camera, stage);
  const { right, down } = axesOf(camera);
  const from = subtract(point, camera.centre);
  return { x: stage.width / 2 + dot(from, right) / mm, y: stage.height / 2 + dot(from, down) / mm };
}

/** Turned as if a ball under the pointer were: what is in front follows it. */
export function trackballed(camera: Camera, stage: Size, dx: number, dy: number): Camera {
  const distance = Math.hypot(dx, dy);
  if (distance === 0) return camera;
  const angle = (distance / Math.min(stage.width, stage.height)) * TURN_PER_STAGE;
  // about the axis on the screen at a right angle to the way; the near side goes along with the pointer
  const turn = quat.setAxisAngle(quat.create(), [-dy / distance, dx / distance, 0], angle);
  return { ...camera, rotation: numbers(quat.multiply(quat.create(), [...camera.rotation], turn)) };
}

/** The volume moved by (dx, dy) on the screen. */
export function shifted(camera: Camera, stage: Size, dx: number, dy: number): Camera {
  const middle = { x: stage.width / 2 - dx, y: stage.height / 2 - dy };
  return { ...camera, centre: unproject(camera, stage, middle) };
}

/** Magnified by `factor`; what is under `anchor` stays there. */
export function magnified(camera: Camera, stage: Size, factor: number, anchor: ScreenPoint): Camera {
  const span_mm = clamp(camera.span_mm / factor, LEAST_SPAN, WIDEST_SPAN);
  const fixed = unproject(camera, stage, anchor);
  const moved = project({ ...camera, span_mm }, stage, fixed);
  return shifted({ ...camera, span_mm }, stage, anchor.x - moved.x, anchor.y - moved.y);
}

/** A camera that came from elsewhere. Raises `RangeError` for what is none. */
export function readCamera(written: unknown): Camera {
  const { centre, rotation, span_mm } = (written ?? {}) as Record<string, unknown>;
  const areNumbers = (list: unknown, count: number): list is number[] =>
    Array.isArray(list) &&
    list.length === count &&
    list.every((n) => Number.isFinite(n) && Math.abs(n) < 1e6);
  if (!areNumbers(centre, 3) || !areNumbers(rotation, 4) || !areNumbers([span_mm], 1)) {
    throw new RangeError('a camera has a centre, a rotation and a span');
  }
  const turn = quat.fromValues(rotation[0], rotation[1], rotation[2], rotation[3]);
  if (!(length([rotation[0], rotation[1], rotation[2]]) + Math.abs(rotation[3]) > 1e-3)) {
    throw new RangeError('a rotation of length 0 turns nothing');
  }
  return {
    centre: [centre[0], centre[1], centre[2]],
    rotation: numbers(turn),
    span_mm: clamp(span_mm as number, LEAST_SPAN, WIDEST_SPAN),
  };
}
