/** The film manifest, version 2, as the viewer works with it: what the server writes into the page (`#film-manifest`), unfolded. */

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

/** A calibrated part of an ultrasound picture (PS3.3 C.8.5.5): `dx`, `dy` in units per pixel. */
export interface Region {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
  readonly dx: number;
  readonly dy: number;
  readonly unit_x: string;
  readonly unit_y: string;
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
  /** The picture had lost something before it came to the archive. */
  readonly received_lossy: boolean;
  /** Colour by plane; big endian: raw frames that are kept as they came. */
  readonly planar: number;
  readonly big_endian: boolean;
  /** Rescale to output units: HU in CT. */
  readonly slope: number;
  readonly intercept: number;
  readonly unit: string;
  /** VOI windows in output units, in the order of the object; may be empty. */
  readonly center: readonly number[];
  readonly width: readonly number[];
  readonly window_names: readonly string[];
  readonly voi_function: string;
  /** Indexes into the tables of the series. */
  readonly voi_lut: number | null;
  readonly modality_lut: number | null;
  readonly palette: readonly [number, number, number] | null;
  /** Row spacing (downwards) and column spacing (to the right), mm. */
  readonly spacing: readonly [number, number] | null;
  /** In the patient, at the detector (a projection: larger than the body part), or not known. */
  readonly spacing_kind: 'patient' | 'detector' | 'none';
  readonly pixel_aspect: readonly [number, number] | null;
  readonly regions: readonly Region[] | null;
  /** Image position (patient), mm. */
  readonly position: readonly [number, number, number] | null;
  /** Direction cosines of a row and of a column. */
  readonly orientation: readonly [number, number, number, number, number, number] | null;
  /** Letters at the right and lower edge where there are no cosines: ['A', 'F']. */
  readonly patient_orientation: readonly [string, string] | null;
  readonly laterality: string;
  readonly view_position: string;
  readonly image_type: readonly string[];
  readonly frame_time_ms: number | null;
  /** SOP instance UID, instance number, and frame of a multi-frame object from 1. */
  readonly instance: string;
  readonly number: number | null;
  readonly frame: number;
  /** Bytes of the codestream up to each resolution, the smallest first; the last is `length`. */
  readonly levels: readonly number[] | null;
  /** The 16-bit lossy codestream of the same frame (1.2.840.10008.1.2.4.203), in the same pack. */
  readonly lossy: { readonly offset: number; readonly length: number } | null;
}

/** A look-up table: entry 0 belongs to value `first`; `data` is base64 of 16-bit little-endian entries of `bits`. */
export interface LutTable {
  readonly first: number;
  readonly bits: number;
  readonly data: string;
}

/** Coarse levels of the whole series in one place: per frame [offset, length] up to 32² and what 64² needs beyond it. */
export interface LowLevels {
  readonly pack: number;
  readonly offset: number;
  readonly length: number;
  readonly small: number;
  readonly parts: readonly (readonly [number, number, number, number] | null)[];
}

export interface SeriesInfo {
  readonly uid: string;
  readonly study_uid: string;
  readonly exam_id: number;
  readonly number: number | null;
  readonly description: string;
  readonly modality: string;
  readonly body_part: string;
  readonly thumbnail: string | null;
  readonly frame_of_reference: string | null;
  readonly packs: readonly SealedPack[];
  readonly frames: readonly FrameInfo[];
  readonly tables: readonly LutTable[];
  readonly low: LowLevels | null;
  /** What the reader should know of this series. */
  readonly notice: string | null;
}

export interface DocumentInfo {
  readonly kind: string;
  readonly title: string;
  readonly url: string;
  readonly download_url: string;
}

/** One frame of the film: indexes from 0 into `series` and its `frames`. */
export interface FrameRef {
  readonly series: number;
  readonly frame: number;
}

export interface Graphic {
  readonly type: string;
  readonly units: 'PIXEL' | 'DISPLAY';
  readonly points: readonly (readonly [number, number])[];
  readonly text: string;
  readonly filled: boolean;
}

/** A grayscale softcopy presentation state: how somebody saved the look of some frames. */
export interface PresentationState {
  readonly uid: string;
  readonly label: string;
  readonly targets: readonly { readonly instance: string; readonly frames: readonly number[] | null }[];
  readonly voi: { readonly center: number; readonly width: number } | null;
  readonly rotation: number;
  readonly flip: boolean;
  readonly inverse: boolean;
  readonly graphics: readonly Graphic[];
}

export interface KeyImage {
  readonly instance: string;
  readonly frame: number;
  readonly title: string;
}

export interface HistoryEntry {
  readonly exam_id: number;
  readonly title: string;
  readonly exam_at: string;
  readonly modality: string;
}

export interface Manifest {
  readonly version: 2;
  readonly title: string;
  readonly patient: string;
  readonly hospital: string;
  readonly exam_at: string;
  readonly accession: string;
  readonly exam_id: number;
  readonly watermark: string | null;
  readonly may: { readonly save_annotations: boolean; readonly live: boolean; readonly download: boolean };
  readonly series: readonly SeriesInfo[];
  readonly documents: readonly DocumentInfo[];
  readonly presentations: readonly PresentationState[];
  readonly key_images: readonly KeyImage[];
  readonly history: readonly HistoryEntry[];
  readonly first: FrameRef | null;
}
