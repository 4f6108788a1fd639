/** The page's side of the decode workers: hands out jobs by priority, takes back what nobody wants any more. */

import type { FrameInfo, SealedPack } from '../dicom/manifest';
import { FilmFault } from '../faults';
import type { DecodedFrame, Reply, Request } from './protocol';
import { type Job, JobQueue } from './queue';

/** Several per worker: while one frame is decoded the next ones are on the line. */
const JOBS_PER_WORKER = 3;

interface DecodeJob extends Job {
  readonly pack: SealedPack;
  readonly frame: FrameInfo;
  readonly resolve: (frame: DecodedFrame) => void;
  readonly reject: (fault: FilmFault) => void;
}

/** A frame on its way. */
export interface Ticket {
  readonly frame: Promise<DecodedFrame>;
  /** Lower comes sooner. Without effect once the job runs. */
  setPriority(priority: number): void;
  /** The promise is refused with `aborted`, unless the frame is there already. */
  abort(): void;
}

/** The part of a Worker that is used, so that tests bring their own. */
export type WorkerLike = Pick<Worker, 'postMessage' | 'terminate' | 'onmessage' | 'onerror'>;

interface Slot {
  worker: WorkerLike;
  readonly running: Map<number, DecodeJob>;
}

export class DecodePool {
  private readonly slots: Slot[] = [];
  private readonly queue = new JobQueue<DecodeJob>();
  private lastId = 0;

  constructor(
    private readonly createWorker: () => WorkerLike,
    size: number,
  ) {
    for (let i = 0; i < size; i++) this.slots.push(this.openSlot());
  }

  submit(pack: SealedPack, frame: FrameInfo, priority: number): Ticket {
    const id = ++this.lastId;
    let job: DecodeJob | undefined;
    const promise = new Promise<DecodedFrame>((resolve, reject) => {
      job = { id, priority, pack, frame, resolve, reject };
      this.queue.push(job);
    });
    this.dispatch();
    return {
      frame: promise,
      setPriority: (next) => {
        if (job) job.priority = next;
      },
      abort: () => this.abort(id),
    };
  }

  private abort(id: number): void {
    const waiting = this.queue.remove(id);
    if (waiting) {
      waiting.reject(new FilmFault('aborted', 'the frame is not wanted any more'));
      return;
    }
    const slot = this.slots.find((s) => s.running.has(id));
    if (slot) send(slot.worker, { kind: 'abort', id });
  }

  private dispatch(): void {
    for (;;) {
      const slot = this.slots.reduce((a, b) => (b.running.size < a.running.size ? b : a));
      if (slot.running.size >= JOBS_PER_WORKER) return;
      const job = this.queue.pop();
      if (!job) return;
      slot.running.set(job.id, job);
      send(slot.worker, { kind: 'decode', id: job.id, pack: job.pack, frame: job.frame });
    }
  }

  private openSlot(): Slot {
    const slot: Slot = { worker: this.createWorker(), running: new Map() };
    this.listen(slot);
    return slot;
  }

  private listen(slot: Slot): void {
    slot.worker.onmessage = ({ data: reply }: MessageEvent<Reply>) => {
      const job = slot.running.get(reply.id);
      slot.running.delete(reply.id);
      if (reply.ok) {
        const { data, photometric, fetched } = reply;
        job?.resolve({ data, photometric, fetched });
      } else {
        job?.reject(new FilmFault(reply.kind, reply.message));
      }
      this.dispatch();
    };
    slot.worker.onerror = (event) => {
      // The worker did not start or died (a phone out of memory): its jobs are told, the next ones get a new worker.
      const message = `the decode worker stopped: ${event.message ?? 'no reason given'}`;
      slot.worker.terminate();
      for (const job of slot.running.values()) job.reject(new FilmFault('network', message));
      slot.running.clear();
      slot.worker = this.createWorker();
      this.listen(slot);
      this.dispatch();
    };
  }
}

function send(worker: WorkerLike, request: Request): void {
  worker.postMessage(request);
}
