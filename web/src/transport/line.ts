/** What is known of the line to the server: how fast it is, and whether its owner pays by the byte. */

/** From here on a reader notices that he waits. */
const NOTICED_MS = 400;
/** Smaller answers tell the latency, not the rate. */
const TELLING_BYTES = 16_000;
const WEIGHT_OF_THE_LAST = 0.3;

/** Of `navigator.connection`, which not every browser has. */
export interface ConnectionFacts {
  /** Mbit/s, a rough guess of the browser. */
  readonly downlink?: number;
  readonly saveData?: boolean;
}

export class Line {
  private bytesPerMs: number | null;
  private isMeasured = false;

  constructor(private readonly connection: ConnectionFacts = {}) {
    this.bytesPerMs = connection.downlink ? (connection.downlink * 1e6) / 8 / 1000 : null;
  }

  /** The line of this browser, by how the page itself came: a guess, for the processor was busy with it too. */
  static here(): Line {
    const line = new Line((globalThis.navigator as { connection?: ConnectionFacts } | undefined)?.connection);
    const [page] = (globalThis.performance?.getEntriesByType?.('navigation') ??
      []) as PerformanceNavigationTiming[];
    if (page) line.note(page.encodedBodySize, page.responseEnd - page.responseStart);
    line.isMeasured = false;
    return line;
  }

  /** The reader asked his browser to save data. */
  get savesData(): boolean {
    return this.connection.saveData === true;
  }

  /** So many bytes came in so much time. */
  note(bytes: number, milliseconds: number): void {
    if (bytes < TELLING_BYTES) return;
    const rate = bytes / Math.max(1, milliseconds);
    const before = this.isMeasured && this.bytesPerMs !== null ? this.bytesPerMs : rate;
    this.bytesPerMs = before + (rate - before) * WEIGHT_OF_THE_LAST;
    this.isMeasured = true; // what was guessed counts no more
  }

  /** Whether a reader would notice that so many bytes are on their way. A line that nothing is known of is fast. */
  isNoticedFor(bytes: number): boolean {
    return this.bytesPerMs !== null && bytes / this.bytesPerMs > NOTICED_MS;
  }
}
