/** The film as a room shares it: what is laid out, where everybody looks, through which window, what was drawn (K4). */

import { effect, untracked } from '@preact/signals';
import { planeOf } from '../dicom/frame_plane';
import { clamp, type ImagePoint, type PatientPoint, type Vector } from '../math/coordinates';
import { toImage } from '../math/plane';
import type { Cell } from '../session/cell';
import { BLENDS, type Content, type Cut, MOST_ROWS } from '../session/content';
import type { FilmSession } from '../session/film_session';
import { MAX_ZOOM, MIN_ZOOM } from '../viewport/view';
import { isSameJson } from './same_json';
import { type Json, keyOf, type Pointer, type SharedFilm, type StateMessage } from './shared_film';

/** What the server takes in one message, less its frame. */
const MOST_ANNOTATION_BYTES = 30_000;

export class FilmSharing implements SharedFilm {
  constructor(private readonly film: FilmSession) {}

  snapshot(): StateMessage[] {
    const { film } = this;
    const states: StateMessage[] = [
      { cell: null, part: 'layout', data: { ...film.layout.value } as Json },
      { cell: null, part: 'annotations', data: this.annotations() },
      { cell: null, part: 'tool', data: this.place() },
      { cell: null, part: 'cine', data: { playing: film.cine.isPlaying.value, rate: film.cine.rate.value } },
    ];
    film.cells.value.forEach((cell, index) => {
      states.push({ cell: index, part: 'view', data: this.viewOf(cell) });
      states.push({ cell: index, part: 'voi', data: voiOf(cell) });
      const camera = cell.camera.value;
      if (camera) states.push({ cell: index, part: 'camera', data: camera as Json });
    });
    return states;
  }

  onLocalChange(listener: (message: StateMessage) => void): () => void {
    const told = new Map<string, Json>();
    return effect(() => {
      const states = this.snapshot();
      untracked(() => {
        for (const state of states) {
          const key = keyOf(state);
          if (isSameJson(told.get(key), state.data)) continue;
          told.set(key, state.data);
          listener(state);
        }
      });
    });
  }

  /** Raises `RangeError` for what is no state of a film. */
  apply({ cell: index, part, data }: StateMessage): void {
    const { film } = this;
    if (part === 'layout') this.applyLayout(record(data));
    else if (part === 'annotations') film.annotations.load(data);
    else if (part === 'tool') this.applyPlace(data);
    else if (part === 'cine') this.applyCine(record(data));
    else {
      const cell = index === null ? undefined : film.cells.peek()[index];
      if (!cell) throw new RangeError(`the layout has no cell ${index}`);
      if (part === 'view') this.applyView(cell, record(data));
      else if (part === 'voi') applyVoi(cell, record(data));
      else cell.camera.value = record(data);
    }
  }

  showPointer(pointer: Pointer | null): void {
    const at = pointer && this.imagePointOf(pointer);
    this.film.pointer.value = pointer && at ? { cell: pointer.cell, at, name: pointer.name } : null;
  }

  private annotations(): Json {
    const book = this.film.annotations;
    void book.all.value;
    const { annotations, removed } = book.toJSON();
    // what was drawn last is what is talked about; a room carries no more than a message holds
    let kept = annotations.length;
    const told = (): Json =>
      ({ annotations: annotations.slice(annotations.length - kept), removed }) as unknown as Json;
    while (kept > 0 && JSON.stringify(told()).length > MOST_ANNOTATION_BYTES) kept--;
    return told();
  }

  private place(): Json {
    const point = this.film.point.value;
    return point && { at: [...point.at], space: point.space };
  }

  private viewOf(cell: Cell): Json {
    return { content: this.tellContent(cell.content.value), view: { ...cell.view.value } } as unknown as Json;
  }

  private tellContent(content: Content): Json {
    if (content.kind === 'empty') return { kind: 'empty' };
    const { uid, frames } = this.film.series[content.series];
    if (content.kind === 'volume') return { kind: 'volume', series: uid };
    if (content.kind === 'mpr') return { kind: 'mpr', series: uid, cut: content.cut as unknown as Json };
    const { instance, frame } = frames[content.frame];
    return { kind: 'stack', series: uid, instance, frame };
  }

  private applyLayout({ rows, columns, mode }: Record<string, Json>): void {
    const layout = { rows: whole(rows, 1, MOST_ROWS), columns: whole(columns, 1, MOST_ROWS) };
    const wanted = { ...layout, mode: mode === 'sheet' ? 'sheet' : 'stack' } as const;
    if (!isSameJson(wanted, { ...this.film.layout.peek() })) this.film.setLayout(wanted);
  }

  private applyPlace(data: Json): void {
    if (data === null) {
      this.film.point.value = null;
      return;
    }
    const { at, space } = record(data);
    this.film.point.value = {
      at: vector(at) as PatientPoint,
      space: typeof space === 'string' ? space : null,
    };
  }

  private applyCine({ playing, rate }: Record<string, Json>): void {
    const { cine } = this.film;
    cine.setRate(number(rate, 1, 60));
    // pictures come by `view`: a follower's own clock would run away from the presenter's
    if (playing === false && cine.isPlaying.peek()) cine.stop();
  }

  private applyView(cell: Cell, { content, view }: Record<string, Json>): void {
    this.applyContent(cell, record(content));
    const { zoom, centre, rotation, flipped } = record(view);
    const { x, y } = record(centre);
    cell.setView({
      zoom: number(zoom, MIN_ZOOM, MAX_ZOOM),
      centre: { x: number(x, 0, 1), y: number(y, 0, 1) },
      rotation: number(rotation, 0, 360),
      flipped: flipped === true,
    });
  }

  private applyContent(cell: Cell, told: Record<string, Json>): void {
    if (told.kind === 'empty') {
      cell.clear();
      return;
    }
    const series = this.film.series.findIndex(({ uid }) => uid === told.series);
    if (series < 0) throw new RangeError('the film here has no such series');
    if (told.kind === 'volume') {
      if (!isSameJson(cell.content.peek() as unknown as Json, { kind: 'volume', series })) {
        void this.film.threeD.showVolume(cell, series);
      }
      return;
    }
    if (told.kind === 'mpr') {
      void this.film.threeD.showCut(cell, series, readCut(record(told.cut)));
      return;
    }
    const { frames } = this.film.series[series];
    const frame = frames.findIndex((one) => one.instance === told.instance && one.frame === told.frame);
    if (frame < 0) throw new RangeError('the series here has no such frame');
    if (!isSameJson(cell.content.peek() as unknown as Json, { kind: 'stack', series, frame })) {
      void cell.goto({ series, frame });
    }
  }

  private imagePointOf({ cell: index, point }: Pointer): ImagePoint | null {
    const picture = this.film.cells.peek()[index]?.picture.peek();
    if (!picture) return null;
    if ('z' in point) {
      const plane = planeOf(picture.frame);
      return plane && toImage(plane, [point.x, point.y, point.z]);
    }
    const isSame = point.instance === picture.frame.instance && point.frame === picture.frame.frame;
    return isSame ? { x: point.x, y: point.y } : null;
  }
}

function voiOf(cell: Cell): Json {
  const chosen = cell.chosen.value;
  return {
    voi: chosen && { center: chosen.center, width: chosen.width },
    inverted: cell.isInverted.value,
  };
}

function applyVoi(cell: Cell, { voi, inverted }: Record<string, Json>): void {
  if (voi === null) cell.setVoi(null);
  else {
    const { center, width } = record(voi);
    cell.setVoi({ center: number(center, -1e9, 1e9), width: number(width, 1e-6, 1e9) });
  }
  cell.setInverted(inverted === true);
}

function readCut({ centre, right, down, slab_mm, blend }: Record<string, Json>): Cut {
  const known = BLENDS.find((name) => name === blend);
  if (!known) throw new RangeError('a cut blends by mean, max or min');
  const [across, along] = [vector(right), vector(down)];
  const isRight = [across, along].every((v) => Math.abs(Math.hypot(...v) - 1) < 1e-3);
  const skew = Math.abs(across[0] * along[0] + across[1] * along[1] + across[2] * along[2]);
  if (!isRight || skew > 1e-3)
    throw new RangeError('the directions of a cut are two unit vectors at a right angle');
  return {
    centre: vector(centre) as PatientPoint,
    right: across,
    down: along,
    slab_mm: number(slab_mm, 0, 500),
    blend: known,
  };
}

function record(data: Json | undefined): Record<string, Json> {
  if (typeof data !== 'object' || data === null || Array.isArray(data))
    throw new RangeError('a state is an object');
  return data as Record<string, Json>;
}

function number(value: Json | undefined, low: number, high: number): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new RangeError('a state has numbers');
  return clamp(value, low, high);
}

function whole(value: Json | undefined, low: number, high: number): number {
  return Math.round(number(value, low, high));
}

function vector(value: Json | undefined): Vector {
  if (!Array.isArray(value) || value.length !== 3) throw new RangeError('a place is three numbers');
  return value.map((part) => number(part, -1e6, 1e6)) as unknown as Vector;
}
