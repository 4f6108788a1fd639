/** What of a film is shared in a room, and the port through which the viewer shares it (docs/live.md). */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

export const PARTS = ['layout', 'view', 'voi', 'cine', 'camera', 'annotations', 'tool'] as const;
export type Part = (typeof PARTS)[number];

/** The state of one part of one cell; of the whole film when `cell` is null. In coordinates of patient or image, and in fractions. */
export interface StateMessage {
  readonly cell: number | null;
  readonly part: Part;
  readonly data: Json;
}

/** Where somebody points: millimetres of the patient, or pixels of one image. */
export type SharedPoint =
  | { readonly x: number; readonly y: number; readonly z: number }
  | { readonly x: number; readonly y: number; readonly instance: string; readonly frame: number };

export interface Pointer {
  readonly cell: number;
  readonly point: SharedPoint;
  /** Who points. */
  readonly name: string;
}

/** The viewer, as a room sees it. */
export interface SharedFilm {
  /** Everything that would have to be sent to somebody who has just opened the film. */
  snapshot(): StateMessage[];
  /** Shows what somebody else did. Checks it first: it comes from outside. */
  apply(message: StateMessage): void;
  /** Calls with each change that was made here; a changed layout is followed by the states of its cells. Returns the end of it. */
  onLocalChange(listener: (message: StateMessage) => void): () => void;
  showPointer(pointer: Pointer | null): void;
}

export function keyOf({ cell, part }: Pick<StateMessage, 'cell' | 'part'>): string {
  return `${cell}/${part}`;
}
