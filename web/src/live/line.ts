/** A WebSocket that comes back: with longer pauses each time, at once when the device wakes, never after a final word. */

import type { Clock } from './clock';

/** What we need of a WebSocket. */
export interface Socket {
  readonly readyState: number;
  readonly bufferedAmount: number;
  onopen: ((event: Event) => unknown) | null;
  onmessage: ((event: MessageEvent) => unknown) | null;
  onclose: ((event: CloseEvent) => unknown) | null;
  send(text: string): void;
  close(code?: number): void;
}

export interface LineEvents {
  opened(): void;
  said(text: string): void;
  /** The line is away and comes back by itself. */
  broke(): void;
  /** It does not come back; `why` in words for the reader, or empty. */
  ended(why: string): void;
}

const OPEN = 1;
const PAUSE_FIRST_MS = 500;
const PAUSE_MAX_MS = 15_000;
/** Pauses vary by so much, for a server that starts again is met by all its clients at once. */
const JITTER = 0.5;
/** The server says something every two seconds; a phone may stand still between two cells. */
const SILENCE_MS = 15_000;
const MOST_TRIES = 20;

/** Codes after which another try would end in the same way (docs/live.md). */
const FINAL: ReadonlyMap<number, string> = new Map([
  [1000, ''],
  [1008, '共览已经结束'],
  [1009, '共享的内容太大'],
  [4001, '您已在另一处打开'],
  [4029, '人数已满'],
]);

export class Line {
  private socket: Socket | null = null;
  private tries = 0;
  private isOver = false;
  private stopPause = () => {};
  private stopWatch = () => {};

  constructor(
    private readonly open: () => Socket,
    private readonly clock: Clock,
    private readonly events: LineEvents,
    private readonly random: () => number,
  ) {}

  connect(): void {
    if (this.isOver) return;
    this.stopPause();
    const socket = this.open();
    this.socket = socket;
    this.watch();
    socket.onopen = () => {
      if (socket === this.socket) this.events.opened();
    };
    socket.onmessage = (event) => {
      if (socket !== this.socket) return;
      this.watch();
      if (typeof event.data === 'string') this.events.said(event.data);
    };
    socket.onclose = (event) => {
      if (socket === this.socket) this.handleClose(event.code, event.reason);
    };
  }

  /** The room has let us in: the next trouble begins with short pauses again. */
  settle(): void {
    this.tries = 0;
  }

  /** Whether something that is said now leaves soon; a slow line is not filled up. */
  get isReady(): boolean {
    return this.socket?.readyState === OPEN && this.socket.bufferedAmount < 65_536;
  }

  send(text: string): void {
    if (this.socket?.readyState === OPEN) this.socket.send(text);
  }

  /** The device is awake, or has a network again: no more pause. */
  wake(): void {
    if (this.socket === null) this.connect();
  }

  end(): void {
    this.isOver = true;
    this.drop();
    this.stopPause();
    this.events.ended('');
  }

  private handleClose(code: number, reason: string): void {
    this.socket = null;
    this.stopWatch();
    this.tries += 1;
    const final = FINAL.get(code) ?? (this.tries > MOST_TRIES ? '连接不上，请刷新页面' : undefined);
    if (final !== undefined) {
      this.isOver = true;
      this.events.ended(reason || final);
      return;
    }
    this.events.broke();
    const pause = Math.min(PAUSE_MAX_MS, PAUSE_FIRST_MS * 2 ** (this.tries - 1));
    this.stopPause = this.clock.after(pause * (1 - JITTER * this.random()), () => this.connect());
  }

  private watch(): void {
    this.stopWatch();
    this.stopWatch = this.clock.after(SILENCE_MS, () => {
      this.drop();
      this.handleClose(1006, '');
    });
  }

  private drop(): void {
    const socket = this.socket;
    this.socket = null;
    this.stopWatch();
    socket?.close(1000);
  }
}
