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
  return { uid: '1.2', number: 1, description: '', modality: 'CT', thumbnail: null, packs: [pack], frames };
}

export function manifestOf(...series: SeriesInfo[]): Manifest {
  return {
    version: 1,
    title: '',
    patient: '',
    hospital: '',
    exam_at: '2026-01-01T00:00:00Z',
    accession: '',
    series,
    documents: [],
    first: null,
  };
}

export function decoded(data: DecodedFrame['data'], photometric = 'MONOCHROME2'): DecodedFrame {
  return { data, photometric, fetched: 0 };
}
