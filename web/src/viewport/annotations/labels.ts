/** What an annotation says, in words and numbers. Pure. */

import type { Annotation, AnnotationKind, Measured } from '../../dicom/annotation';
import { type CalibrationNote, calibrationAt } from '../../dicom/calibration';
import type { FrameInfo } from '../../dicom/manifest';
import type { ImagePoint } from '../../math/coordinates';

export const KIND_WORDS: Record<AnnotationKind, string> = {
  text: '文字',
  arrow: '箭头',
  length: '长度',
  angle: '角度',
  cobb: 'Cobb 角',
  probe: '取值',
  freehand: '轮廓',
  rectangle: '矩形',
  ellipse: '椭圆',
  sphere: '球体',
  cuboid: '长方体',
};

const NOTE_WORDS: Record<CalibrationNote, string> = {
  detector: '探测器平面',
  none: '未定标',
  outside: '在定标区外',
  across: '跨定标区',
  'no-space': '该区不是距离',
};

const NAMES: Partial<Record<Measured['name'], string>> = {
  length: '长度',
  angle: '角度',
  area: '面积',
  volume: '体积',
  perimeter: '周长',
};
const SIZES: ReadonlySet<string> = new Set(['length', 'area', 'perimeter']);

/** Characters that would order or hide what stands on the line (bidi marks, control codes). */
const UNSEEN = /[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

export function cleanText(text: string): string {
  return text.replace(UNSEEN, ' ').trim();
}

/** Why the sizes of an annotation are not millimetres in the patient; `null` when they are, or it has none. */
export function noteOf(annotation: Annotation, frame: FrameInfo): string | null {
  if (annotation.instance === null || !annotation.measured.some(({ name }) => SIZES.has(name))) return null;
  const { note } = calibrationAt(frame, annotation.points.map(imagePoint));
  return note && NOTE_WORDS[note];
}

export function imagePoint([x, y]: readonly [number, number] | readonly number[]): ImagePoint {
  return { x, y };
}

/** The lines of the label: the reader's words first, then what was measured. */
export function labelLines(annotation: Annotation, note: string | null): readonly string[] {
  const text = cleanText(annotation.text);
  const values = measuredLines(annotation);
  const noted = note && values.length > 0 ? [`${values[0]}（${note}）`, ...values.slice(1)] : values;
  return text ? [text, ...noted] : noted;
}

export function measuredLines({ kind, measured }: Annotation): readonly string[] {
  const of = (name: Measured['name']): Measured | undefined => measured.find((one) => one.name === name);
  const [mean, sd, min, max, value] = [of('mean'), of('sd'), of('min'), of('max'), of('value')];
  const lines = measured.flatMap((one) => {
    const name = kind === 'cobb' && one.name === 'angle' ? KIND_WORDS.cobb : NAMES[one.name];
    return name ? `${name} ${withUnit(one)}` : [];
  });
  if (mean) lines.push(`均值 ${tidy(mean.value)}${sd ? ` ± ${tidy(sd.value)}` : ''} ${mean.unit}`);
  if (min && max) lines.push(`最小 ${tidy(min.value)}  最大 ${tidy(max.value)} ${max.unit}`);
  if (value) lines.push(`${value.unit === 'HU' ? 'CT值' : '值'} ${tidy(value.value)} ${value.unit}`);
  return lines.map((line) => line.trim());
}

const LARGE_AREA = 1e4; // mm²: from here cm² are easier to read
const LARGE_VOLUME = 1e3; // mm³: 1 cm³

function withUnit({ value, unit }: Measured): string {
  if (unit === 'deg') return `${value.toFixed(1)}°`;
  if (unit === 'mm2' && value >= LARGE_AREA) return `${(value / 100).toFixed(1)} cm²`;
  if (unit === 'mm3' && value >= LARGE_VOLUME) return `${(value / 1000).toFixed(2)} cm³`;
  const digits = value < 1 ? 2 : 1;
  return `${value.toFixed(digits)} ${unit.replace(/2$/, '²').replace(/3$/, '³')}`;
}

/** One decimal where values are large, three digits where they are small (SUV). */
function tidy(value: number): string {
  if (Number.isInteger(value)) return String(value);
  return Math.abs(value) >= 10 ? value.toFixed(1) : String(Number(value.toPrecision(3)));
}
