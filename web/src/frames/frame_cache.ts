/** Decoded frames on the page, bounded in bytes; the least recently used ones go first. */

import type { DecodedFrame } from './protocol';

export class FrameCache {
  private readonly frames = new Map<string, DecodedFrame>();
  private total = 0;

  constructor(private readonly limit: number) {}

  get(key: string): DecodedFrame | undefined {
    const frame = this.frames.get(key);
    if (frame) {
      this.frames.delete(key);
      this.frames.set(key, frame);
    }
    return frame;
  }

  has(key: string): boolean {
    return this.frames.has(key);
  }

  /** Keeps a frame; it stays itself even when it alone is larger than the limit. */
  put(key: string, frame: DecodedFrame): void {
    this.total += frame.data.byteLength - (this.frames.get(key)?.data.byteLength ?? 0);
    this.frames.delete(key);
    this.frames.set(key, frame);
    for (const [oldest, old] of this.frames) {
      if (this.total <= this.limit || oldest === key) break;
      this.frames.delete(oldest);
      this.total -= old.data.byteLength;
    }
  }
}
