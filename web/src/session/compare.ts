/** An earlier exam beside this one: its series join the film, the one most alike opens in the second cell (F8). */

import { signal } from '@preact/signals';
import { planeOf } from '../dicom/frame_plane';
import type { SeriesInfo } from '../dicom/manifest';
import { readManifest } from '../dicom/read_manifest';
import { FilmFault } from '../faults';
import { normalOf } from '../math/plane';
import { dot } from '../math/vector';
import type { FilmSession } from './film_session';

export class Comparison {
  readonly isBusy = signal(false);
  readonly fault = signal<FilmFault | null>(null);
  private readonly opened = new Map<number, number>();

  constructor(private readonly film: FilmSession) {}

  async open(examId: number): Promise<void> {
    if (this.isBusy.peek()) return;
    this.isBusy.value = true;
    this.fault.value = null;
    try {
      const first = this.opened.get(examId) ?? (await this.fetch(examId));
      this.layOut(first);
    } catch (error) {
      this.fault.value = error instanceof FilmFault ? error : new FilmFault('network', String(error));
    } finally {
      this.isBusy.value = false;
    }
  }

  private async fetch(examId: number): Promise<number> {
    const answer = await fetch(`/api/v1/exams/${examId}/film`, { headers: { Accept: 'application/json' } });
    if (!answer.ok) {
      const kind = [401, 403, 404, 410].includes(answer.status) ? 'denied' : 'network';
      throw new FilmFault(kind, `exam ${examId}: the server answered ${answer.status}`);
    }
    const { manifest } = (await answer.json()) as { readonly manifest: unknown };
    const { series } = readManifest(JSON.stringify(manifest));
    if (series.length === 0) throw new FilmFault('damaged', `exam ${examId} has no series`);
    const first = this.film.addSeries(series);
    this.opened.set(examId, first);
    return first;
  }

  private layOut(first: number): void {
    const { film } = this;
    const lead = film.active.peek();
    const isWide = innerWidth >= innerHeight;
    film.setLayout({ rows: isWide ? 1 : 2, columns: isWide ? 2 : 1, mode: 'stack' });
    const cells = film.cells.peek();
    const other = cells.findIndex((cell) => cell !== lead);
    const own = lead.series;
    if (!own || other < 0) return;
    const theirs = film.series
      .slice(first)
      .map((series, i) => ({ index: first + i, alike: likeness(own, series) }));
    const best = theirs.reduce((a, b) => (b.alike > a.alike ? b : a));
    const share = lead.wanted ? lead.wanted.frame / Math.max(1, own.frames.length - 1) : 0.5;
    const frame = Math.round(share * (film.series[best.index].frames.length - 1));
    void cells[other].goto({ series: best.index, frame });
    film.linked.isOn.value = true;
  }
}

/** How much two series look like the same acquisition: modality, direction, size, name. */
function likeness(a: SeriesInfo, b: SeriesInfo): number {
  if (b.frames.length === 0) return -1;
  const [p, q] = [a, b].map((series) => planeOf(series.frames[Math.floor(series.frames.length / 2)]));
  const parallel = p && q ? Math.abs(dot(normalOf(p), normalOf(q))) : 0;
  const size = Math.min(a.frames.length, b.frames.length) / Math.max(a.frames.length, b.frames.length);
  return (
    (a.modality === b.modality ? 4 : 0) +
    3 * parallel +
    size +
    (a.description !== '' && a.description === b.description ? 2 : 0)
  );
}
