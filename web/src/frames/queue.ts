/** Jobs waiting for a worker: the lowest priority number first, among equals the one that came first. */

export interface Job {
  readonly id: number;
  priority: number;
}

export class JobQueue<J extends Job> {
  private jobs: J[] = [];

  get length(): number {
    return this.jobs.length;
  }

  push(job: J): void {
    this.jobs.push(job);
  }

  /** Takes a job out; `undefined` when it is not waiting. */
  remove(id: number): J | undefined {
    const at = this.jobs.findIndex((job) => job.id === id);
    return at < 0 ? undefined : this.jobs.splice(at, 1)[0];
  }

  /** Takes the next job among those that fit. A few hundred wait at most: looking at each is cheaper than a heap. */
  pop(fits: (job: J) => boolean): J | undefined {
    let best = -1;
    this.jobs.forEach((job, i) => {
      if ((best < 0 || job.priority < this.jobs[best].priority) && fits(job)) best = i;
    });
    return best < 0 ? undefined : this.jobs.splice(best, 1)[0];
  }
}
