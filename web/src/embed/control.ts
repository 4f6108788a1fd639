/** `window.cloudfilm`: what the page that embeds the viewer, and the browser tests, may ask and do (F6). */

import { sm3Hex } from '../decode/sm4/sm3';
import type { FrameRef } from '../dicom/manifest';
import { bytesOf } from '../dicom/samples';
import type { FrameProvider } from '../frames/provider';
import type { FilmSession } from '../session/film_session';

export interface FilmState {
  /** What the reader asked for and what is on screen; indexes from 0. */
  readonly wanted: FrameRef;
  readonly shown: FrameRef | null;
  /** Output units (HU in CT); `null` for colour. */
  readonly window: { readonly center: number; readonly width: number } | null;
  readonly view: { readonly zoom: number; readonly centre: { readonly x: number; readonly y: number } };
  readonly tool: string;
  readonly fault: string | null;
  /** Frames of the series that wait decoded. */
  readonly loaded: number;
  /** Sealed bytes that the viewer brought over the network since it was opened. */
  readonly fetched: number;
}

export interface FilmControl {
  state(): FilmState;
  goto(series: number, frame: number): Promise<void>;
  setWindow(center: number, width: number): void;
  /** SM3 of the RGBA bytes on the canvas. */
  pixelDigest(): string;
  /** SM3 of the decoded samples of a frame, little-endian, as in an uncompressed object. */
  frameBytes(series: number, frame: number): Promise<string>;
}

declare global {
  interface Window {
    cloudfilm?: FilmControl;
  }
}

export function createControl(session: FilmSession, frames: FrameProvider): FilmControl {
  return {
    state: () => ({
      wanted: session.wanted.value,
      shown: session.shown.value,
      window: session.voi.value,
      view: session.view.value,
      tool: session.tool.value.id,
      fault: session.fault.value?.kind ?? null,
      loaded: session.loaded.value,
      fetched: frames.fetchedBytes,
    }),
    goto: (series, frame) => session.goto({ series, frame }),
    setWindow: (center, width) => session.setVoi({ center, width }),
    pixelDigest: () => sm3Hex(session.canvasPixels()),
    frameBytes: async (series, frame) => sm3Hex(bytesOf((await frames.get({ series, frame })).data)),
  };
}
