import { vi } from 'vitest';
import type { FaultKind } from '../src/faults';
import type { WorkerLike } from '../src/frames/pool';
import type { Reply, Request } from '../src/frames/protocol';
import { decoded } from './samples';

/** A worker that answers when it is told to. */
export class StubWorker implements WorkerLike {
  onmessage: WorkerLike['onmessage'] = null;
  onerror: WorkerLike['onerror'] = null;
  readonly asked: Request[] = [];
  readonly terminate = vi.fn();

  postMessage(request: Request): void {
    this.asked.push(request);
  }

  frames(): number[] {
    return this.asked.flatMap((r) => (r.kind === 'frame' ? [r.frame.offset] : []));
  }

  requestOf(offset: number): Request {
    const request = [...this.asked].reverse().find((r) => r.kind === 'frame' && r.frame.offset === offset);
    if (!request) throw new Error(`nobody asked for ${offset}`);
    return request;
  }

  answer(offset: number): void {
    const frame = { ...decoded(new Int16Array(4)), fetched: 10 };
    this.say({ id: this.requestOf(offset).id, kind: 'done', frame, fetched: 10, milliseconds: 1 });
  }

  fail(id: number, fault: FaultKind): void {
    this.say({ id, kind: 'fault', fault, message: 'line' });
  }

  say(data: Reply): void {
    this.onmessage?.call(this as unknown as Worker, { data } as MessageEvent);
  }
}
