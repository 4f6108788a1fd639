/** The film manifest, version 1: what the server writes into the page (`#film-manifest`). */

export const CODECS = ['htj2k', 'jpeg', 'jpegls', 'jpeg2000', 'rle', 'raw'] as const;

/** What a manifest says about one pack. */
export interface SealedPack {
  /** 32 hexadecimal digits. */
  readonly object_id: string;
  readonly url: string;
  /** Base64 of the 16-byte key of the chunk class. */
  readonly key: string;
  /** Base64 of the 64-byte header. */
  readonly header: string;
}

export interface FrameInfo {
  /** Index into the packs of the series. */
  readonly pack: number;
  /** Plain bytes of the frame in the pack. */
  readonly offset: number;
  readonly length: number;
  /** One of `CODECS`, or a name that this viewer does not know and says so. */
  readonly codec: string;
  readonly rows: number;
  readonly columns: number;
  readonly samples: number;
  readonly bits_allocated: number;
  readonly bits_stored: number;
  readonly signed: boolean;
  readonly photometric: string;
  /** Rescale to output units: HU in CT. */
  readonly slope: number;
  readonly intercept: number;
  /** VOI windows in output units, in the order of the object; may be empty. */
  readonly center: readonly number[];
  readonly width: readonly number[];
  /** Row spacing (downwards) and column spacing (to the right), mm. */
  readonly spacing: readonly [number, number] | null;
  /** Image position (patient), mm. */
  readonly position: readonly [number, number, number] | null;
  /** Direction cosines of a row and of a column. */
  readonly orientation: readonly [number, number, number, number, number, number] | null;
  /** SOP instance UID, instance number, and frame of a multi-frame object from 1. */
  readonly instance: string;
  readonly number: number | null;
  readonly frame: number;
}

export interface SeriesInfo {
  readonly uid: string;
  readonly number: number | null;
  readonly description: string;
  readonly modality: string;
  readonly thumbnail: string | null;
  readonly packs: readonly SealedPack[];
  readonly frames: readonly FrameInfo[];
}

export interface DocumentInfo {
  readonly kind: string;
  readonly title: string;
  readonly url: string;
}

/** One frame of the film: indexes from 0 into `series` and its `frames`. */
export interface FrameRef {
  readonly series: number;
  readonly frame: number;
}

export interface Manifest {
  readonly version: 1;
  readonly title: string;
  readonly patient: string;
  readonly hospital: string;
  readonly exam_at: string;
  readonly accession: string;
  readonly series: readonly SeriesInfo[];
  readonly documents: readonly DocumentInfo[];
  readonly first: FrameRef | null;
}
