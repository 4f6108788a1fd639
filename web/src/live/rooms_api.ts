/** Opening, finding and ending rooms by the JSON API. The token stays in the fragment, which no server sees. */

import { FilmFault } from '../faults';

export interface OpenedRoom {
  readonly room: string;
  /** The page to invite to. */
  readonly url: string;
  /** The address to which the room's token is added. */
  readonly socket: string;
}

const TOKEN = /^#room=([\w-]{20,64})$/;

/** The room that this page was invited to. */
export function roomOf(fragment: string): string | null {
  return TOKEN.exec(fragment)?.[1] ?? null;
}

export async function openRoom(examId: number, csrfToken: string): Promise<OpenedRoom> {
  return (await call(`/api/v1/exams/${examId}/rooms`, csrfToken)) as OpenedRoom;
}

/** Ends a room that this session opened, for everybody in it. */
export async function closeRoom(examId: number, csrfToken: string, room: string): Promise<void> {
  await call(`/api/v1/exams/${examId}/rooms/close`, csrfToken, { room });
}

/** The address to which the token of a room of this exam is added. */
export async function socketOf(examId: number): Promise<string> {
  const answer = await fetch(`/api/v1/exams/${examId}/rooms`, { credentials: 'same-origin' });
  return ((await answered(answer)) as { socket: string }).socket;
}

async function call(url: string, csrfToken: string, body?: object): Promise<unknown> {
  const headers = { 'X-CSRF-Token': csrfToken, ...(body && { 'Content-Type': 'application/json' }) };
  const sent = { method: 'POST', credentials: 'same-origin', headers } as const;
  return answered(await fetch(url, body ? { ...sent, body: JSON.stringify(body) } : sent));
}

async function answered(answer: Response): Promise<unknown> {
  if (answer.status === 401 || answer.status === 403 || answer.status === 404) {
    throw new FilmFault('denied', `the room was refused: HTTP ${answer.status}`);
  }
  if (!answer.ok) throw new FilmFault('network', `the room was not opened: HTTP ${answer.status}`);
  return answer.status === 204 ? null : answer.json();
}
