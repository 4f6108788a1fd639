/** Plays the stack of a cell: a frame is shown when its time has come and it is there; none is skipped (E15). */

import { signal } from '@preact/signals';
import { clamp } from '../math/coordinates';
import type { Cell } from './cell';
import type { FilmSession } from './film_session';

export const SLOWEST = 1;
export const FASTEST = 60;
const USUAL = 10; // frames per second where the object says nothing

export class Cine {
  readonly isPlaying = signal(false);
  readonly rate = signal(USUAL);
  private cell: Cell | null = null;
  private run = 0;

  constructor(private readonly film: FilmSession) {}

  start(): void {
    const cell = this.film.active.peek();
    if (!cell.wanted || (cell.series?.frames.length ?? 0) < 2) return;
    const time = cell.picture.peek()?.frame.frame_time_ms;
    if (this.cell !== cell) this.rate.value = time ? clamp(Math.round(1000 / time), SLOWEST, FASTEST) : USUAL;
    this.cell = cell;
    this.isPlaying.value = true;
    void this.play(cell, ++this.run);
  }

  stop(): void {
    this.run++;
    this.isPlaying.value = false;
  }

  setRate(rate: number): void {
    if (Number.isFinite(rate)) this.rate.value = clamp(rate, SLOWEST, FASTEST);
  }

  private async play(cell: Cell, run: number): Promise<void> {
    let due = performance.now();
    while (run === this.run && this.isOnStage(cell) && cell.wanted && cell.series) {
      due = Math.max(due + 1000 / this.rate.peek(), performance.now());
      const { series, frame } = cell.wanted;
      const next = this.after(cell, frame, cell.series.frames.length);
      await Promise.all([this.film.gotoIn(cell, { series, frame: next }), until(due)]);
      if (cell.fault.peek()) break;
    }
    if (run === this.run) this.isPlaying.value = false;
  }

  private isOnStage(cell: Cell): boolean {
    return this.film.cells.peek().includes(cell);
  }

  /** A sheet begins anew when its last cell has shown the last frame. */
  private after(cell: Cell, frame: number, count: number): number {
    const cells = this.film.cells.peek();
    const isSheet = this.film.layout.peek().mode === 'sheet';
    const at = isSheet ? cells.indexOf(cell) : 0;
    const behind = isSheet ? cells.length - 1 - at : 0;
    return frame + 1 + behind < count ? frame + 1 : at;
  }
}

function until(time: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, time - performance.now()));
}
