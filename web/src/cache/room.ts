/** How much of the disk the films may take. */

const PHONE_BYTES = 300e6;
const PC_BYTES = 2e9;
/** Of what the browser would give: the pages of others live there too. */
const SHARE_OF_QUOTA = 0.5;

/** The limit for the store in bytes. `quota`: what the browser would give, where it tells (secure contexts only). */
export function roomFor(isPhone: boolean, quota: number | undefined): number {
  // a browser that tells nothing may give little: it is asked for no more than a phone's share
  const most = isPhone || quota === undefined ? PHONE_BYTES : PC_BYTES;
  return Math.min(most, (quota ?? Number.POSITIVE_INFINITY) * SHARE_OF_QUOTA);
}

/** `roomFor` of this browser. */
export async function roomHere(navigator: WorkerNavigator | Navigator): Promise<number> {
  const estimate = await navigator.storage?.estimate?.().catch(() => undefined);
  return roomFor(/Mobi|Android|iPhone|iPad/.test(navigator.userAgent), estimate?.quota);
}
