/** The page's side of the decode workers: hands out jobs by priority, takes back what nobody wants any more. */

import { FilmFault } from '../faults';
import type { CoarseFrame, DecodedFrame, JobRequest, Reply, Request, Traffic } from './protocol';
import { type Job, JobQueue } from './queue';

/** Several per worker: while one frame is decoded the next ones are on the line. */
const JOBS_PER_WORKER = 3;

interface DecodeJob extends Job {
  readonly request: JobRequest;
  readonly onCoarse: (frames: readonly CoarseFrame[]) => void;
  readonly resolve: (frame: DecodedFrame | null) => void;
  readonly reject: (fault: FilmFault) => void;
}

/** Work on its way. */
export interface Ticket {
  /** The frame; `null` at the end of a series' coarse levels. */
  readonly frame: Promise<DecodedFrame | null>;
  /** Lower comes sooner. Without effect once the job runs. */
  setPriority(priority: number): void;
  /** The promise is refused with `aborted`, unless the frame is there already. */
  abort(): void;
}

/** The part of a Worker that is used, so that tests bring their own. */
export type WorkerLike = Pick<Worker, 'postMessage' | 'terminate' | 'onmessage' | 'onerror'>;

interface Slot {
  /** Started with its first job: a second one must not take the processor from the film's first frame. */
  worker: WorkerLike | null;
  readonly running: Map<number, DecodeJob>;
}

export class DecodePool {
  /** Hears of what comes over the network. */
  onTraffic: (traffic: Traffic) => void = () => undefined;

  private readonly slots: Slot[] = [];
  private readonly queue = new JobQueue<DecodeJob>();
  /** Who works on a block: the frames that one request brought lie in that worker. */
  private readonly blocks = new Map<string, Slot>();
  private lastId = 0;

  constructor(
    private readonly createWorker: () => WorkerLike,
    size: number,
  ) {
    for (let i = 0; i < size; i++) this.slots.push({ worker: null, running: new Map() });
  }

  /** `onCoarse` hears of pictures at lower resolutions before the end. */
  submit(request: JobRequest, priority: number, onCoarse: DecodeJob['onCoarse']): Ticket {
    const id = ++this.lastId;
    let job: DecodeJob | undefined;
    const promise = new Promise<DecodedFrame | null>((resolve, reject) => {
      job = { id, priority, request, onCoarse, resolve, reject };
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
    if (slot?.worker) send(slot.worker, { kind: 'abort', id });
  }

  private dispatch(): void {
    for (;;) {
      const free = this.slots.filter(({ running }) => running.size < JOBS_PER_WORKER);
      free.sort((a, b) => a.running.size - b.running.size);
      const slot = free.find((one) => this.startNext(one));
      if (!slot) return;
    }
  }

  /** Gives a worker the most urgent job that is nobody else's. */
  private startNext(slot: Slot): boolean {
    const job = this.queue.pop(({ request }) => {
      const owner = request.kind === 'frame' && request.block && this.blocks.get(request.block.name);
      return !owner || owner === slot;
    });
    if (!job) return false;
    if (job.request.kind === 'frame' && job.request.block) this.blocks.set(job.request.block.name, slot);
    slot.running.set(job.id, job);
    slot.worker ??= this.open(slot);
    send(slot.worker, { id: job.id, ...job.request });
    return true;
  }

  private open(slot: Slot): WorkerLike {
    const worker = this.createWorker();
    worker.onmessage = ({ data: reply }: MessageEvent<Reply>) => {
      const job = slot.running.get(reply.id);
      if (reply.kind !== 'fault') this.onTraffic(reply);
      if (reply.kind === 'coarse') {
        job?.onCoarse(reply.frames);
        return;
      }
      slot.running.delete(reply.id);
      if (reply.kind === 'done') job?.resolve(reply.frame);
      else job?.reject(new FilmFault(reply.fault, reply.message));
      this.dispatch();
    };
    worker.onerror = (event) => {
      // The worker did not start or died (a phone out of memory): its jobs are told, the next ones get a new worker.
      const message = `the decode worker stopped: ${event.message ?? 'no reason given'}`;
      worker.terminate();
      slot.worker = null;
      for (const job of slot.running.values()) job.reject(new FilmFault('network', message));
      slot.running.clear();
      this.dispatch();
    };
    return worker;
  }
}

function send(worker: WorkerLike, request: Request): void {
  worker.postMessage(request);
}

/** Workers for a device of so many processors: two at least, for one waits for the line while the other decodes. */
export function workersFor(processors: number): number {
  return Math.min(3, Math.max(2, Math.floor((processors || 2) / 2)));
}
