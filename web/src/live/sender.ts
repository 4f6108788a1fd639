/** What waits to be sent: of each key the newest only, 25 times a second, and nothing while the line is full. */

import type { Clock } from './clock';

export const TICK_MS = 40;

export class Sender {
  private readonly waiting = new Map<string, string>();
  private isTicking = false;

  constructor(
    private readonly clock: Clock,
    private readonly isReady: () => boolean,
    private readonly send: (text: string) => void,
  ) {}

  put(key: string, text: string): void {
    this.waiting.set(key, text);
    if (!this.isTicking) this.tick();
  }

  clear(): void {
    this.waiting.clear();
  }

  private tick(): void {
    if (this.waiting.size === 0) {
      this.isTicking = false;
      return;
    }
    this.isTicking = true;
    if (this.isReady()) {
      for (const text of this.waiting.values()) this.send(text);
      this.waiting.clear();
    }
    this.clock.after(TICK_MS, () => this.tick());
  }
}
