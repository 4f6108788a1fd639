/** Byte ranges over HTTP, with two more tries when the line or the server stumbles. */

import { FilmFault } from '../faults';

const RETRY_AFTER_MS = [300, 1200];

/** The bytes [start, end) of `url`. Raises `FilmFault`: network, denied, aborted. */
export async function fetchRange(
  url: string,
  start: number,
  end: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await fetchOnce(url, start, end, signal);
    } catch (error) {
      if (signal.aborted) throw new FilmFault('aborted', 'the range is not wanted any more');
      const fault = error instanceof FilmFault ? error : new FilmFault('network', String(error));
      if (fault.kind !== 'network' || attempt >= RETRY_AFTER_MS.length) throw fault;
      await pause(RETRY_AFTER_MS[attempt], signal);
    }
  }
}

async function fetchOnce(url: string, start: number, end: number, signal: AbortSignal): Promise<Uint8Array> {
  // not into the browser's own cache as well: it would write every byte to the disk a second time
  const answer = await fetch(url, {
    headers: { Range: `bytes=${start}-${end - 1}` },
    cache: 'no-store',
    signal,
  });
  if (answer.status === 206) return new Uint8Array(await answer.arrayBuffer());
  await answer.body?.cancel();
  if ([401, 403, 404, 410].includes(answer.status)) {
    throw new FilmFault(
      'denied',
      `the server answered ${answer.status}: the film may not be opened any more`,
    );
  }
  throw new FilmFault('network', `the server answered ${answer.status} where a byte range was asked for`);
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
