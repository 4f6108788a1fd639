/** Look-up tables of objects: modality and VOI LUTs (PS3.3 C.11.1, C.11.2), palettes (C.7.6.3.1.5). Pure. */

import { FilmFault } from '../faults';
import type { LutTable, SeriesInfo } from './manifest';

export interface Lut {
  readonly first: number;
  /** The largest value that an entry can have. */
  readonly max: number;
  readonly entries: Uint16Array;
}

const MAX_ENTRIES = 65536; // PS3.3 C.11.1.1: the first descriptor value 0 stands for 65536

/** A table of the manifest. Raises `FilmFault('damaged')` when it is none. */
export function readLut(table: LutTable): Lut {
  const bytes = Uint8Array.from(atob(table.data), (c) => c.charCodeAt(0));
  const isSound = bytes.length > 0 && bytes.length % 2 === 0 && bytes.length <= 2 * MAX_ENTRIES;
  if (!isSound || !Number.isSafeInteger(table.first) || !(table.bits >= 1 && table.bits <= 16)) {
    throw new FilmFault('damaged', 'a look-up table of the series cannot be read');
  }
  const view = new DataView(bytes.buffer);
  const entries = new Uint16Array(bytes.length / 2);
  for (let i = 0; i < entries.length; i++) entries[i] = view.getUint16(2 * i, true);
  return { first: table.first, max: 2 ** table.bits - 1, entries };
}

/** The table's value for `value`; values beyond its ends take the first or last entry (PS3.3 C.11.1.1.1). */
export function lookUp(lut: Lut, value: number): number {
  const at = Math.min(Math.max(Math.round(value) - lut.first, 0), lut.entries.length - 1);
  return lut.entries[at];
}

const read = new WeakMap<LutTable, Lut>();

/** Table `index` of a series, read once; `null` for none. */
export function lutOf(series: Pick<SeriesInfo, 'tables'>, index: number | null): Lut | null {
  if (index === null) return null;
  const table = series.tables[index];
  if (!table) throw new FilmFault('damaged', `the series has no table ${index}`);
  let lut = read.get(table);
  if (!lut) {
    lut = readLut(table);
    read.set(table, lut);
  }
  return lut;
}
