/** What a figure on a picture measures: sizes by the calibration of its place, values by the pixels inside. Pure. */

import type { FlatAnnotation, Measured } from '../../dicom/annotation';
import { type Calibration, calibrationAt } from '../../dicom/calibration';
import type { FrameInfo, SeriesInfo } from '../../dicom/manifest';
import {
  type Area,
  hasValues,
  type Samples,
  type Statistics,
  statisticsIn,
  unitOf,
  valueAt,
} from '../../dicom/pixel_statistics';
import type { ImagePoint } from '../../math/coordinates';
import {
  angleAt,
  cobbAngle,
  crossesItself,
  distance,
  ellipse,
  type Point2,
  pathLength,
  polygonArea,
  rectangle,
} from '../../math/shapes';
import { imagePoint } from '../../viewport/annotations/labels';

/** The picture that is measured on. */
export interface Picture {
  readonly frame: FrameInfo;
  readonly decoded: Samples;
  readonly series: Pick<SeriesInfo, 'tables'>;
}

type Figure = Pick<FlatAnnotation, 'kind' | 'points'>;

/** All that a figure measures. A draft that is not complete measures nothing. */
export function measuresOf({ kind, points: pairs }: Figure, picture: Picture): readonly Measured[] {
  const points = pairs.map(imagePoint);
  const calibration = calibrationAt(picture.frame, points);
  const scaled = points.map(({ x, y }) => ({ x: x * calibration.scale[0], y: y * calibration.scale[1] }));
  const [a, b] = scaled;
  switch (kind) {
    case 'length':
      return b ? [{ name: 'length', value: distance(a, b), unit: calibration.unit }] : [];
    case 'angle':
    case 'cobb':
      return angleOf(kind, points, calibration);
    case 'probe':
      return probed(points[0], picture);
    case 'rectangle':
    case 'ellipse': {
      const size = kind === 'rectangle' ? rectangle(a, b) : ellipse(a, b);
      const [first, last] = points;
      return [...sizes(size, calibration), ...valuesIn({ shape: kind, points: [first, last] }, picture)];
    }
    case 'freehand':
      return contour(points, scaled, calibration, picture);
    default:
      return [];
  }
}

/** Whether more could be measured now: the values are there and were not when the figure was drawn. */
export function lacksValues({ kind, measured }: FlatAnnotation, { decoded, frame }: Picture): boolean {
  const needed = kind === 'probe' ? 'value' : 'mean';
  const isOfValues = kind === 'probe' || kind === 'freehand' || kind === 'rectangle' || kind === 'ellipse';
  return isOfValues && hasValues(decoded, frame) && !measured.some(({ name }) => name === needed);
}

function angleOf(
  kind: 'angle' | 'cobb',
  points: readonly ImagePoint[],
  { aspect }: Calibration,
): readonly Measured[] {
  // an angle needs the shape of a pixel only, so it holds on pictures without calibration too
  const [a, b, c, d] = points.map(({ x, y }) => ({ x, y: y * aspect }));
  const isComplete = kind === 'angle' ? c !== undefined : d !== undefined;
  const angle = isComplete ? (kind === 'angle' ? angleAt(a, b, c) : cobbAngle([a, b], [c, d])) : null;
  return angle === null ? [] : [{ name: 'angle', value: angle, unit: 'deg' }];
}

function probed(point: ImagePoint, { decoded, frame, series }: Picture): readonly Measured[] {
  const value = valueAt(decoded, frame, series, point);
  return value === null ? [] : [{ name: 'value', value, unit: unitOf(frame) }];
}

/** A contour that crosses itself has no inside that everybody would agree on: it is drawn, and not measured. */
function contour(
  points: readonly ImagePoint[],
  scaled: readonly Point2[],
  calibration: Calibration,
  picture: Picture,
): readonly Measured[] {
  if (points.length < 3 || crossesItself(points)) return [];
  const size = { area: polygonArea(scaled), perimeter: pathLength(scaled, true) };
  return [...sizes(size, calibration), ...valuesIn({ shape: 'polygon', points }, picture)];
}

function sizes(size: { area: number; perimeter: number }, { unit }: Calibration): readonly Measured[] {
  return [
    { name: 'area', value: size.area, unit: `${unit}2` },
    { name: 'perimeter', value: size.perimeter, unit },
  ];
}

function valuesIn(area: Area, { decoded, frame, series }: Picture): readonly Measured[] {
  const found = statisticsIn(decoded, frame, series, area);
  if (!found) return [];
  const one = (name: 'mean' | 'sd' | 'min' | 'max', value: Statistics[typeof name]): Measured => ({
    name,
    value,
    unit: found.unit,
  });
  return [one('mean', found.mean), one('sd', found.sd), one('min', found.min), one('max', found.max)];
}
