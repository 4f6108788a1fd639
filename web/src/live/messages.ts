/** What the server of the rooms says. It is ours, yet what it hands on others have said: a message of another shape is dropped. */

import { type Json, PARTS, type Part, type SharedPoint, type StateMessage } from './shared_film';

export interface Person {
  readonly id: string;
  readonly name: string;
  readonly staff: boolean;
  /** False for who was cut off and may come back. */
  readonly here: boolean;
}

export interface RoomState extends StateMessage {
  readonly seq: number;
  readonly from: string;
}

export interface Welcome {
  readonly kind: 'welcome';
  readonly seq: number;
  readonly epoch: string;
  readonly you: string;
  readonly owner: boolean;
  readonly presenter: string;
  readonly people: readonly Person[];
  readonly snapshot: readonly RoomState[];
}

export type ServerMessage =
  | Welcome
  | ({ readonly kind: 'state' } & RoomState)
  | { readonly kind: 'people'; readonly seq: number; readonly people: readonly Person[] }
  | { readonly kind: 'presenter'; readonly seq: number; readonly presenter: string }
  | {
      readonly kind: 'pointer';
      readonly from: string;
      readonly cell: number;
      readonly point: SharedPoint | null;
    }
  | { readonly kind: 'ask'; readonly from: string }
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'alive'; readonly seq: number };

type Told = Record<string, unknown>;

/** The message, or null when it is none. */
export function readMessage(text: string): ServerMessage | null {
  let told: unknown;
  try {
    told = JSON.parse(text);
  } catch {
    return null;
  }
  return isObject(told) && told.v === 1 && isWellShaped(told) ? (told as unknown as ServerMessage) : null;
}

function isWellShaped(told: Told): boolean {
  switch (told.kind) {
    case 'welcome':
      return (
        [told.epoch, told.you, told.presenter].every(isText) &&
        isCount(told.seq) &&
        isListOf(told.people, isPerson) &&
        isListOf(told.snapshot, isState)
      );
    case 'state':
      return isState(told);
    case 'people':
      return isCount(told.seq) && isListOf(told.people, isPerson);
    case 'presenter':
      return isCount(told.seq) && isText(told.presenter);
    case 'pointer':
      return isText(told.from) && isCount(told.cell) && (told.point === null || isPoint(told.point));
    case 'ask':
      return isText(told.from);
    case 'refused':
      return isText(told.why);
    case 'alive':
      return isCount(told.seq);
    default:
      return false;
  }
}

function isState(told: unknown): told is RoomState {
  return (
    isObject(told) &&
    isCount(told.seq) &&
    isText(told.from) &&
    (told.cell === null || isCount(told.cell)) &&
    PARTS.includes(told.part as Part) &&
    (told.data as Json | undefined) !== undefined
  );
}

function isPerson(told: unknown): told is Person {
  return isObject(told) && isText(told.id) && isText(told.name);
}

function isPoint(told: unknown): told is SharedPoint {
  return (
    isObject(told) && isNumber(told.x) && isNumber(told.y) && (isNumber(told.z) || isText(told.instance))
  );
}

function isListOf(told: unknown, isOne: (one: unknown) => boolean): boolean {
  return Array.isArray(told) && told.every(isOne);
}

function isObject(told: unknown): told is Told {
  return typeof told === 'object' && told !== null;
}

function isText(told: unknown): told is string {
  return typeof told === 'string';
}

function isNumber(told: unknown): told is number {
  return typeof told === 'number' && Number.isFinite(told);
}

function isCount(told: unknown): told is number {
  return Number.isSafeInteger(told) && (told as number) >= 0;
}
