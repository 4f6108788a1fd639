/**
 * One person in a room of co-viewing (K4): what the presenter does is sent, what others hear is shown.
 *
 * The room's truth is `known`, the last state of each part that the server has numbered. A follower's film may differ from it
 * until the next state of that part; a presenter's film is ahead of it by what is under way. Whenever roles or the line
 * change, the one is brought to the other: a presenter sends what differs, a follower shows it.
 */

import { batch, computed, type ReadonlySignal, signal } from '@preact/signals';
import type { Clock } from './clock';
import { Line, type Socket } from './line';
import { type Person, type RoomState, readMessage, type ServerMessage, type Welcome } from './messages';
import { isSameJson } from './same_json';
import { Sender } from './sender';
import { type Json, keyOf, type SharedFilm, type SharedPoint, type StateMessage } from './shared_film';

export type Connection = 'connecting' | 'live' | 'lost';

export interface RoomOptions {
  readonly film: SharedFilm;
  /** How this person wants to be called; of staff the server knows the name. */
  readonly name: string;
  readonly open: () => Socket;
  readonly clock: Clock;
  readonly random?: () => number;
}

/** Longer ones would end the visit (docs/live.md). */
export const MOST_BYTES = 32 * 1024;
/** A pointer that does not move is taken away. */
export const POINTER_MS = 3_000;
const POINTER = 'pointer';

export class RoomClient {
  readonly connection = signal<Connection>('connecting');
  readonly people = signal<readonly Person[]>([]);
  readonly presenter = signal('');
  readonly you = signal('');
  readonly isOwner = signal(false);
  /** Who would like to present; only the presenter hears of it. */
  readonly asking = signal<readonly string[]>([]);
  /** Whether others' states are shown. */
  readonly isFollowing = signal(true);
  /** What the reader should know: a refusal, or why the room ended. */
  readonly notice = signal('');
  readonly isPresenter: ReadonlySignal<boolean> = computed(
    () => this.you.value !== '' && this.presenter.value === this.you.value,
  );
  /** Whether the place is free, or the right of staff; the server has the last word. */
  readonly mayTake: ReadonlySignal<boolean> = computed(() => {
    const holder = this.people.value.find(({ id }) => id === this.presenter.value);
    const me = this.people.value.find(({ id }) => id === this.you.value);
    return !this.isPresenter.value && (!holder?.here || me?.staff === true);
  });

  private readonly film: SharedFilm;
  private readonly clock: Clock;
  private readonly line: Line;
  private readonly sender: Sender;
  private readonly known = new Map<string, RoomState>();
  /** What this presenter has said last, on its way or known. */
  private readonly told = new Map<string, Json>();
  private epoch = '';
  private seq = 0;
  private isApplying = false;
  private readonly stopListening: () => void;
  private stopPointer = () => {};

  constructor(private readonly options: RoomOptions) {
    this.film = options.film;
    this.clock = options.clock;
    this.line = new Line(
      options.open,
      options.clock,
      {
        opened: () => this.hello(),
        said: (text) => this.hear(readMessage(text)),
        broke: () => this.enter('connecting'),
        ended: (why) => this.finish(why),
      },
      options.random ?? Math.random,
    );
    this.sender = new Sender(
      this.clock,
      () => this.connection.value === 'live' && this.line.isReady,
      (text) => this.line.send(text),
    );
    this.stopListening = this.film.onLocalChange((message) => this.share(message));
  }

  start(): void {
    this.line.connect();
  }

  /** The device is awake again. */
  wake(): void {
    this.line.wake();
  }

  leave(): void {
    this.say('bye', {});
    this.line.end();
  }

  ask(): void {
    this.request('ask', {});
  }

  take(): void {
    this.request('take', {});
  }

  give(person: string): void {
    this.request('give', { to: person });
  }

  /** Points for everybody; null when no longer. */
  point(cell: number, point: SharedPoint | null): void {
    this.sender.put(POINTER, write('pointer', { cell, point: point as Json }));
  }

  /** Looks at something else for a while; a presenter cannot. */
  unfollow(): void {
    this.isFollowing.value = this.isPresenter.value;
  }

  follow(): void {
    this.isFollowing.value = true;
    this.catchUp();
  }

  private hello(): void {
    const last = this.you.value && { you: this.you.value, epoch: this.epoch, seq: this.seq };
    this.say('hello', { name: this.options.name, ...(last ? { last } : {}) });
  }

  private hear(message: ServerMessage | null): void {
    if (message) batch(() => this.act(message));
  }

  private act(message: ServerMessage): void {
    switch (message.kind) {
      case 'welcome':
        this.welcome(message);
        break;
      case 'state':
        this.learn(message);
        break;
      case 'people':
        this.people.value = message.people;
        break;
      case 'presenter':
        this.yieldTo(message.presenter);
        break;
      case 'pointer':
        this.showPointer(message.from, message.cell, message.point);
        break;
      case 'ask':
        if (this.isPresenter.value) this.asking.value = [...new Set([...this.asking.value, message.from])];
        break;
      case 'refused':
        this.notice.value = message.why;
    }
  }

  private welcome(message: Welcome): void {
    const isFirst = this.you.value === '';
    if (message.epoch !== this.epoch) this.known.clear();
    for (const state of message.snapshot) this.known.set(keyOf(state), state);
    this.epoch = message.epoch;
    this.seq = message.seq;
    this.you.value = message.you;
    this.isOwner.value = message.owner === true;
    this.people.value = message.people;
    this.presenter.value = message.presenter;
    this.notice.value = '';
    this.line.settle();
    this.enter('live');
    // Who comes anew begins with what the room shows, also when it has waited for a presenter.
    if (isFirst || !this.isPresenter.value) this.catchUp();
    if (this.isPresenter.value) this.sendAll();
  }

  private learn(state: RoomState): void {
    const key = keyOf(state);
    if (state.seq <= (this.known.get(key)?.seq ?? 0)) return;
    this.known.set(key, state);
    this.seq = Math.max(this.seq, state.seq);
    // The presenter's own film is where it came from, and may be further by now.
    if (!this.isPresenter.value && this.isFollowing.value) this.show(state);
  }

  private yieldTo(presenter: string): void {
    const was = this.isPresenter.value;
    this.presenter.value = presenter;
    this.asking.value = [];
    this.notice.value = '';
    if (this.isPresenter.value && !was) {
      this.isFollowing.value = true;
      this.sendAll();
    }
    if (was && !this.isPresenter.value) {
      this.sender.clear();
      this.catchUp();
    }
  }

  /** A change was made here. */
  private share(message: StateMessage): void {
    if (this.isApplying || !this.isPresenter.value) return;
    const key = keyOf(message);
    if (isSameJson(this.told.get(key), message.data)) return;
    const { cell, part, data } = message;
    const text = write('state', { cell, part, data });
    if (new TextEncoder().encode(text).length > MOST_BYTES) {
      this.notice.value = '内容太多，无法共享';
      return;
    }
    this.told.set(key, data);
    this.sender.put(key, text);
  }

  /** The room shows what this film shows. */
  private sendAll(): void {
    this.told.clear();
    for (const [key, { data }] of this.known) this.told.set(key, data);
    for (const message of this.film.snapshot()) this.share(message);
  }

  /** This film shows what the room shows: the layout first, for other states are of its cells. */
  private catchUp(): void {
    if (!this.isFollowing.value) return;
    const states = [...this.known.values()].sort((a, b) => a.seq - b.seq);
    this.showDiffering(states.filter(({ part }) => part === 'layout'));
    this.showDiffering(states.filter(({ part }) => part !== 'layout'));
  }

  private showDiffering(states: readonly RoomState[]): void {
    const here = new Map(this.film.snapshot().map((message) => [keyOf(message), message.data]));
    for (const state of states) if (!isSameJson(here.get(keyOf(state)), state.data)) this.show(state);
  }

  private show({ cell, part, data }: RoomState): void {
    this.isApplying = true;
    try {
      this.film.apply({ cell, part, data });
    } catch {
      this.notice.value = '主持人的画面在这里无法显示';
    } finally {
      this.isApplying = false;
    }
  }

  private showPointer(from: string, cell: number, point: SharedPoint | null): void {
    if (from === this.you.value) return;
    this.stopPointer();
    const name = this.people.value.find(({ id }) => id === from)?.name ?? '';
    this.film.showPointer(point && { cell, point, name });
    if (point) this.stopPointer = this.clock.after(POINTER_MS, () => this.film.showPointer(null));
  }

  /** Something that may be refused: an older refusal is no longer of interest. */
  private request(kind: string, told: { readonly [name: string]: Json }): void {
    this.notice.value = '';
    this.say(kind, told);
  }

  private say(kind: string, told: { readonly [name: string]: Json }): void {
    this.line.send(write(kind, told));
  }

  private enter(connection: Connection): void {
    this.connection.value = connection;
    if (connection !== 'live') this.sender.clear();
  }

  private finish(why: string): void {
    this.stopListening();
    this.stopPointer();
    this.film.showPointer(null);
    batch(() => {
      this.enter('lost');
      this.notice.value = why;
      this.people.value = [];
      this.presenter.value = '';
    });
  }
}

function write(kind: string, told: { readonly [name: string]: Json }): string {
  return JSON.stringify({ v: 1, kind, ...told });
}
