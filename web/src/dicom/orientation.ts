/** Which side of the patient is where: the letters at the edges of a picture (PS3.3 C.7.6.1.1.1). Pure. */

import type { Vector } from '../math/coordinates';
import type { FrameInfo } from './manifest';

const AXES = [
  ['L', 'R'],
  ['P', 'A'],
  ['H', 'F'],
] as const;
const OPPOSITE: Record<string, string> = { L: 'R', R: 'L', A: 'P', P: 'A', H: 'F', F: 'H' };
// an axis counts when the direction is less than 70° away from it; below, it is noise of positioning
const LEAST_SHARE = Math.cos((70 * Math.PI) / 180);
const MOST_LETTERS = 2;

/** Letters of the direction, the main axis first: `L`, `LP`. */
export function lettersOf(direction: Vector): string {
  return AXES.map((letters, i) => ({
    letter: direction[i] > 0 ? letters[0] : letters[1],
    share: Math.abs(direction[i]),
  }))
    .filter(({ share }) => share > LEAST_SHARE)
    .sort((a, b) => b.share - a.share)
    .slice(0, MOST_LETTERS)
    .map(({ letter }) => letter)
    .join('');
}

export function oppositeOf(letters: string): string {
  return [...letters].map((letter) => OPPOSITE[letter] ?? '').join('');
}

/** Letters towards growing columns and towards growing rows; empty where the object says nothing. */
export function imageLetters(frame: FrameInfo): { right: string; down: string } {
  if (frame.orientation) {
    const [a, b, c, d, e, f] = frame.orientation;
    return { right: lettersOf([a, b, c]), down: lettersOf([d, e, f]) };
  }
  const [right = '', down = ''] = frame.patient_orientation ?? [];
  return { right: known(right), down: known(down) };
}

function known(letters: string): string {
  return /^[LRAPHF]{1,3}$/.test(letters) ? letters : '';
}

export interface EdgeLetters {
  readonly top: string;
  readonly right: string;
  readonly bottom: string;
  readonly left: string;
}

/**
 * The letters at the edges of the screen. `across` and `along`: the screen directions of growing columns and rows;
 * turned by an odd angle the nearest quarter turn counts.
 */
export function edgeLetters(
  frame: FrameInfo,
  across: readonly [number, number],
  along: readonly [number, number],
): EdgeLetters {
  const { right, down } = imageLetters(frame);
  const towards = (x: number, y: number): string => {
    const [c, r] = [across[0] * x + across[1] * y, along[0] * x + along[1] * y];
    if (Math.abs(c) >= Math.abs(r)) return c > 0 ? right : oppositeOf(right);
    return r > 0 ? down : oppositeOf(down);
  };
  return { top: towards(0, -1), right: towards(1, 0), bottom: towards(0, 1), left: towards(-1, 0) };
}
