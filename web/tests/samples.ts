/** Frames and manifests as small as a test needs them. */

import type { FrameInfo, Manifest, SeriesInfo } from '../src/dicom/manifest';
import type { DecodedFrame } from '../src/frames/protocol';

export function frameInfo(other: Partial<FrameInfo> = {}): FrameInfo {
  return {
    pack: 0,
    offset: 4096,
    length: 100,
    codec: 'raw',
    rows: 4,
    columns: 4,
    samples: 1,
    bits_allocated: 16,
    bits_stored: 16,
    signed: true,
    received_lossy: false,
    planar: 0,
    big_endian: false,
    unit: '',
    window_names: [],
    voi_function: 'LINEAR',
    voi_lut: null,
    modality_lut: null,
    palette: null,
    spacing_kind: 'none',
    pixel_aspect: null,
    regions: null,
    patient_orientation: null,
    laterality: '',
    view_position: '',
    image_type: [],
    frame_time_ms: null,
    levels: null,
    lossy: null,
    photometric: 'MONOCHROME2',
    slope: 1,
    intercept: 0,
    center: [],
    width: [],
    spacing: null,
    position: null,
    orientation: null,
    instance: '1.2.3',
    number: 1,
    frame: 1,
    ...other,
  };
}

export function seriesOf(frames: FrameInfo[]): SeriesInfo {
  const pack = { object_id: '00', url: '/pack', key: '', header: '' };
  return {
    uid: '1.2',
    study_uid: '1',
    exam_id: 1,
    number: 1,
    description: '',
    modality: 'CT',
    body_part: '',
    thumbnail: null,
    frame_of_reference: null,
    packs: [pack],
    frames,
    tables: [],
    low: null,
    notice: null,
  };
}

export function manifestOf(...series: SeriesInfo[]): Manifest {
  return {
    version: 2,
    title: '',
    patient: '',
    hospital: '',
    exam_at: '2026-01-01T00:00:00Z',
    accession: '',
    series,
    exam_id: 1,
    watermark: null,
    may: { save_annotations: false, live: false, download: false },
    documents: [],
    presentations: [],
    key_images: [],
    history: [],
    first: null,
  };
}

export function decoded(data: DecodedFrame['data'], photometric = 'MONOCHROME2'): DecodedFrame {
  return { data, photometric, fetched: 0 };
}
