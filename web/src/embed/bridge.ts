/**
 * The viewer in a frame of another page (F6): calls come by postMessage from origins that the installation allows, answers
 * and events go back there and nowhere else. docs/viewer.md has the table of calls.
 */

import { effect } from '@preact/signals';
import type { FilmSession } from '../session/film_session';
import { type FilmControl, stateOf } from './control';

export const PROTOCOL = 1;

/** What a page outside may call; the rest of the control is for scripts of our own page. */
const CALLS = [
  'state',
  'goto',
  'setWindow',
  'setView',
  'setInverted',
  'setTool',
  'setLayout',
  'activate',
  'openSeries',
  'reset',
  'play',
  'stop',
  'openMpr',
  'openVolume',
  'compare',
  'annotations',
] as const;
type Call = (typeof CALLS)[number];

const MOST_ARGUMENTS = 4;

interface Asked {
  readonly cloudfilm: typeof PROTOCOL;
  readonly id?: number | string;
  readonly call: string;
  readonly args?: readonly unknown[];
}

/** Answers one message. `open` takes the page to another exam. */
export async function answer(
  control: FilmControl,
  asked: Asked,
  open: (examId: number) => void,
): Promise<unknown> {
  const args = asked.args ?? [];
  if (!Array.isArray(args) || args.length > MOST_ARGUMENTS) throw new RangeError('args is a short list');
  if (asked.call === 'open') {
    const [examId] = args;
    if (!Number.isSafeInteger(examId)) throw new RangeError('open takes the number of an exam');
    open(examId as number);
    return null;
  }
  if (!CALLS.includes(asked.call as Call))
    throw new RangeError(`there is no call ${String(asked.call).slice(0, 40)}`);
  const call = control[asked.call as Call] as (...given: unknown[]) => unknown;
  return (await call(...args)) ?? null;
}

/** Listens to the page around this one. `origins`: as the installation lists them, separated by spaces; `self` is our own. */
export function openBridge(session: FilmSession, control: FilmControl, origins: string): void {
  const allowed = new Set(origins.split(/\s+/).map((one) => (one === 'self' ? location.origin : one)));
  allowed.delete('');
  if (window.parent === window || allowed.size === 0) return;
  let host: string | null = null;
  const say = (message: object): void => {
    if (host) window.parent.postMessage({ cloudfilm: PROTOCOL, ...message }, host);
  };
  window.addEventListener('message', (event: MessageEvent<unknown>) => {
    if (event.source !== window.parent || !allowed.has(event.origin) || !isAsked(event.data)) return;
    host = event.origin;
    const { id = null } = event.data;
    answer(control, event.data, (examId) => location.assign(`/exams/${examId}/film`)).then(
      (result) => say({ id, result }),
      (error) => say({ id, error: error instanceof Error ? error.message : String(error) }),
    );
  });
  for (const origin of allowed) window.parent.postMessage({ cloudfilm: PROTOCOL, event: 'ready' }, origin);
  let last = '';
  effect(() => {
    const state = JSON.stringify(stateOf(session));
    if (state !== last) say({ event: 'state', state: JSON.parse(state) });
    last = state;
  });
}

function isAsked(data: unknown): data is Asked {
  const asked = data as Partial<Asked> | null;
  return (
    typeof asked === 'object' &&
    asked !== null &&
    asked.cloudfilm === PROTOCOL &&
    typeof asked.call === 'string'
  );
}
