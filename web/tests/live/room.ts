/** A room without sockets: time that is moved by hand, lines with a delay, films that are maps, and a server as docs/live.md tells it. */

import type { Clock } from '../../src/live/clock';
import type { Socket } from '../../src/live/line';
import type { Person, RoomState } from '../../src/live/messages';
import { RoomClient } from '../../src/live/room_client';
import {
  type Json,
  keyOf,
  type Pointer,
  type SharedFilm,
  type StateMessage,
} from '../../src/live/shared_film';

export class ManualClock implements Clock {
  private readonly due: { at: number; call: () => void }[] = [];
  private at = 0;

  after(milliseconds: number, call: () => void): () => void {
    const one = { at: this.at + milliseconds, call };
    this.due.push(one);
    return () => {
      const place = this.due.indexOf(one);
      if (place >= 0) this.due.splice(place, 1);
    };
  }

  pass(milliseconds: number): void {
    const end = this.at + milliseconds;
    for (;;) {
      const next = this.due.reduce<(typeof this.due)[number] | null>(
        (a, b) => (a && a.at <= b.at ? a : b),
        null,
      );
      if (!next || next.at > end) break;
      this.due.splice(this.due.indexOf(next), 1);
      this.at = next.at;
      next.call();
    }
    this.at = end;
  }
}

export class MapFilm implements SharedFilm {
  readonly shown = new Map<string, StateMessage>();
  readonly applied: StateMessage[] = [];
  pointer: Pointer | null = null;
  private listener: (message: StateMessage) => void = () => {};

  snapshot(): StateMessage[] {
    return [...this.shown.values()];
  }

  /** As viewers do that announce each change, whoever made it. */
  apply(message: StateMessage): void {
    if (message.data === 'unshowable') throw new Error('no such thing');
    this.applied.push(message);
    this.shown.set(keyOf(message), message);
    this.listener(message);
  }

  onLocalChange(listener: (message: StateMessage) => void): () => void {
    this.listener = listener;
    return () => {
      this.listener = () => {};
    };
  }

  showPointer(pointer: Pointer | null): void {
    this.pointer = pointer;
  }

  /** The reader does something. */
  change(part: StateMessage['part'], data: Json, cell: number | null = 0): void {
    const message = { cell, part, data };
    this.shown.set(keyOf(message), message);
    this.listener(message);
  }

  looks(): Record<string, Json> {
    return Object.fromEntries([...this.shown].sort().map(([key, { data }]) => [key, data]));
  }
}

type Told = Record<string, unknown> & { kind: string };

/** One end of a line; what either end says arrives after the delay, in its order. */
export class FakeSocket implements Socket {
  readyState = 0;
  bufferedAmount = 0;
  onopen: Socket['onopen'] = null;
  onmessage: Socket['onmessage'] = null;
  onclose: Socket['onclose'] = null;
  person = '';
  readonly said: Told[] = [];

  constructor(
    private readonly server: FakeServer,
    private readonly delay: number,
  ) {
    server.clock.after(delay, () => {
      if (this.readyState !== 0) return;
      this.readyState = 1;
      this.onopen?.(new Event('open'));
    });
  }

  send(text: string): void {
    const told = JSON.parse(text) as Told;
    this.said.push(told);
    this.server.clock.after(this.delay, () => this.readyState === 1 && this.server.hear(this, told));
  }

  close(): void {
    this.readyState = 3;
  }

  hear(told: object): void {
    this.hearText(JSON.stringify({ v: 1, ...told }));
  }

  hearText(text: string): void {
    this.server.clock.after(this.delay, () => {
      if (this.readyState === 1) this.onmessage?.(new MessageEvent('message', { data: text }));
    });
  }

  /** The line breaks, or the server ends it. */
  fall(code = 1006, reason = ''): void {
    this.readyState = 3;
    this.server.sockets.delete(this);
    this.onclose?.({ code, reason } as CloseEvent);
  }
}

export class FakeServer {
  readonly clock = new ManualClock();
  readonly sockets = new Set<FakeSocket>();
  readonly states = new Map<string, RoomState>();
  readonly people: Person[] = [];
  presenter = '';
  epoch = 'e1';
  private seq = 0;

  hear(socket: FakeSocket, told: Told): void {
    if (told.kind === 'hello')
      this.welcome(socket, told.last as { you: string; epoch: string; seq: number } | undefined);
    if (told.kind === 'state') this.keep(socket, told as unknown as StateMessage);
    if (told.kind === 'take') this.present(socket.person);
    if (told.kind === 'give' && this.presenter === socket.person) this.present(String(told.to));
    if (told.kind === 'ask' || told.kind === 'pointer')
      this.tell({ ...told, seq: this.seq, from: socket.person });
  }

  present(person: string): void {
    this.presenter = person;
    this.tell({ kind: 'presenter', seq: ++this.seq, presenter: person });
  }

  /** As after a server that remembers nothing was started anew. */
  forget(): void {
    this.states.clear();
    this.people.length = 0;
    this.epoch += '+';
    this.presenter = '';
    this.seq = 0;
  }

  private welcome(socket: FakeSocket, last?: { you: string; epoch: string; seq: number }): void {
    const isKnown = last?.epoch === this.epoch;
    socket.person = isKnown ? last.you : `p${this.people.length + 1}`;
    if (!isKnown) this.people.push({ id: socket.person, name: socket.person, staff: false, here: true });
    this.presenter ||= socket.person;
    this.sockets.add(socket);
    const missed = [...this.states.values()].filter((state) => !isKnown || state.seq > last.seq);
    const { seq, epoch, presenter, people } = this;
    socket.hear({
      kind: 'welcome',
      seq,
      epoch,
      you: socket.person,
      owner: false,
      presenter,
      people,
      snapshot: missed,
    });
    this.tell({ kind: 'people', seq: ++this.seq, people: this.people });
  }

  private keep(socket: FakeSocket, { cell, part, data }: StateMessage): void {
    if (this.presenter !== socket.person) {
      socket.hear({ kind: 'refused', why: '只有主持人可以操作' });
      return;
    }
    const state = { seq: ++this.seq, from: socket.person, cell, part, data };
    this.states.set(keyOf(state), state);
    this.tell({ kind: 'state', ...state });
  }

  private tell(told: object): void {
    for (const socket of this.sockets) socket.hear(told);
  }
}

export interface Guest {
  readonly client: RoomClient;
  readonly film: MapFilm;
  /** The line of now. */
  socket(): FakeSocket;
}

export function come(server: FakeServer, delay = 5, film = new MapFilm()): Guest {
  const sockets: FakeSocket[] = [];
  const open = () => {
    const socket = new FakeSocket(server, delay);
    sockets.push(socket);
    return socket;
  };
  const client = new RoomClient({ film, name: '甲', open, clock: server.clock, random: () => 0 });
  client.start();
  server.clock.pass(4 * delay);
  return { client, film, socket: () => sockets[sockets.length - 1] };
}
