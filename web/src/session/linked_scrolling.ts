/** Cells that scroll together: by position in one frame of reference, by way gone in different ones (E18, F8). */

import { signal } from '@preact/signals';
import { planeOf } from '../dicom/frame_plane';
import { frameAlong, sharesSpace } from '../dicom/space';
import { normalOf } from '../math/plane';
import { dot } from '../math/vector';
import type { Cell } from './cell';
import type { FilmSession } from './film_session';

const PARALLEL = Math.cos((10 * Math.PI) / 180); // two exams of one region are seldom positioned more alike

export class LinkedScrolling {
  readonly isOn = signal(false);
  private anchors = new WeakMap<Cell, WeakMap<Cell, { key: string; offset: number }>>();

  constructor(private readonly film: FilmSession) {
    // whoever unties the cells, moves one and ties them again means the new distance
    this.isOn.subscribe(() => {
      this.anchors = new WeakMap();
    });
  }

  /** Takes the other cells along when `lead` goes from one frame to another. */
  follow(lead: Cell, from: number, to: number): void {
    if (!this.isOn.peek() || this.film.layout.peek().mode === 'sheet') return;
    for (const cell of this.film.cells.peek()) {
      if (cell === lead || !cell.wanted) continue;
      const frame = this.placeOf(lead, cell, from, to);
      if (frame !== null && frame !== cell.wanted.frame)
        void cell.goto({ series: cell.wanted.series, frame });
    }
  }

  private placeOf(lead: Cell, cell: Cell, from: number, to: number): number | null {
    const [a, b] = [lead.series, cell.series];
    if (!a || !b || !cell.wanted) return null;
    const [before, after] = [planeOf(a.frames[from]), planeOf(a.frames[to])];
    const own = planeOf(b.frames[cell.wanted.frame]);
    if (!before || !after || !own) {
      const next = cell.wanted.frame + to - from;
      return b.frames[next] ? next : null;
    }
    const normal = normalOf(after);
    if (Math.abs(dot(normal, normalOf(own))) < PARALLEL) return null;
    const target = dot(after.origin, normal);
    if (sharesSpace(a, b)) return frameAlong(b, normal, target);
    // from where each stood when they were laid side by side: the same way on
    return frameAlong(b, normal, this.anchorOf(lead, cell, before, normal) + target);
  }

  /** How far `cell` stands from `lead` along the normal, kept so that rounding to slices does not add up. */
  private anchorOf(
    lead: Cell,
    cell: Cell,
    before: NonNullable<ReturnType<typeof planeOf>>,
    normal: readonly [number, number, number],
  ): number {
    const key = `${lead.wanted?.series}/${cell.wanted?.series}`;
    const known = this.anchors.get(lead)?.get(cell);
    if (known?.key === key) return known.offset;
    const own = cell.series && cell.wanted ? cell.series.frames[cell.wanted.frame].position : null;
    const offset = own ? dot(own, normal) - dot(before.origin, normal) : 0;
    const ofLead = this.anchors.get(lead) ?? new WeakMap();
    ofLead.set(cell, { key, offset });
    this.anchors.set(lead, ofLead);
    return offset;
  }
}
