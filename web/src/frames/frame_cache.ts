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

  /** Lets go of those that `which` names. */
  forget(which: (frame: DecodedFrame) => boolean): void {
    for (const [key, frame] of this.frames) {
      if (!which(frame)) continue;
      this.frames.delete(key);
      this.total -= frame.data.byteLength;
    }
  }
}

/** What decoded frames may take on a device of so many gigabytes; browsers tell 8 where there are more. */
export function cacheBytesFor(gigabytes: number): number {
  return Math.min(192e6, Math.max(64e6, gigabytes * 32e6));
}

/** `cacheBytesFor` of this device; a browser that does not tell is one of a phone (WebKit) or of a PC (Firefox). */
export function cacheBytesHere(): number {
  const here = globalThis.navigator as (Navigator & { deviceMemory?: number }) | undefined;
  const isPhone = /Mobi|iPhone|iPad/.test(here?.userAgent ?? '');
  return cacheBytesFor(here?.deviceMemory ?? (isPhone ? 3 : 8));
}
