/** The cell of a rendered volume: the picture, presets and sides; its code comes with the first volume. */

import { effect, signal } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Cell } from '../session/cell';
import type { FilmSession } from '../session/film_session';
import { context, fitCanvas } from '../viewport/image_viewport';
import type { VolumeViewport } from '../viewport/volume_viewport';

interface VolumeCellProps {
  session: FilmSession;
  cell: Cell;
  series: number;
}

const SIDES = [
  ['A', '前'],
  ['P', '后'],
  ['L', '左'],
  ['R', '右'],
  ['H', '上'],
  ['F', '下'],
] as const;

export function VolumeCell({ session, cell, series }: VolumeCellProps) {
  const image = useRef<HTMLCanvasElement>(null);
  const over = useRef<HTMLCanvasElement>(null);
  const [viewport] = useState(() => signal<VolumeViewport | null>(null));
  const { threeD } = session;
  threeD.version.value; // a volume may have come, or have more in it
  const volume = threeD.volumeOf(series);
  useEffect(() => {
    if (!volume || !image.current || !over.current) return;
    const opened = threeD.render(image.current, volume, {
      onChange: (state) => {
        cell.camera.value = state;
      },
      onDrawn: () => over.current && drawOver(session, opened, series, over.current),
      onPick: (point) => session.goToPoint(cell, point),
    });
    viewport.value = opened;
    const observer = new ResizeObserver(() => opened.redraw());
    observer.observe(image.current);
    const stop = effect(() => {
      const told = cell.camera.value;
      if (told && told !== opened.written) opened.restore(told);
    });
    const stopFilling = effect(() => {
      threeD.version.value;
      session.annotations.visible.value;
      session.annotations.selected.value;
      opened.refresh();
    });
    return () => {
      stop();
      stopFilling();
      observer.disconnect();
      opened.dispose();
      viewport.value = null;
    };
  }, [session, cell, volume, series, threeD, viewport]);
  return (
    <>
      <canvas class="image" ref={image} />
      <canvas class="over" ref={over} />
      {viewport.value && <Looks session={session} viewport={viewport.value} cell={cell} />}
    </>
  );
}

/** Where from, and as what: buttons at the lower edge of the cell. */
function Looks({ session, viewport, cell }: { session: FilmSession; viewport: VolumeViewport; cell: Cell }) {
  cell.camera.value; // the chosen preset is part of it
  return (
    <div class="looks" data-kind={viewport.kind}>
      <select
        aria-label="显示方式"
        value={viewport.look.preset}
        onChange={(event) => viewport.setLook({ preset: event.currentTarget.value })}
      >
        {session.threeD.presetsFor(viewport.volume).map(({ id, label }) => (
          <option key={id} value={id}>
            {label}
          </option>
        ))}
      </select>
      {SIDES.map(([side, label]) => (
        <button type="button" key={side} data-side={side} onClick={() => viewport.lookFrom(side)}>
          {label}
        </button>
      ))}
      <Crop viewport={viewport} />
    </div>
  );
}

const AXES = ['左右', '前后', '上下'] as const;

/** How much of the volume stays, from its first side along each axis. */
function Crop({ viewport }: { viewport: VolumeViewport }) {
  const { crop } = viewport.look;
  const cut = (axis: number, end: number): void => {
    const changed = crop.map((span, i) => (i === axis ? ([0, Math.max(end, 0.05)] as const) : span));
    viewport.setLook({ crop: changed as unknown as typeof crop });
  };
  return (
    <details class="crop">
      <summary>裁剪</summary>
      {AXES.map((label, axis) => (
        <label key={label}>
          {label}
          <input
            type="range"
            min="0.05"
            max="1"
            step="0.01"
            value={crop[axis][1]}
            onInput={(event) => cut(axis, event.currentTarget.valueAsNumber)}
          />
        </label>
      ))}
    </details>
  );
}

function drawOver(
  session: FilmSession,
  viewport: VolumeViewport,
  series: number,
  canvas: HTMLCanvasElement,
): void {
  const ratio = window.devicePixelRatio || 1;
  fitCanvas(canvas, viewport.stage, ratio);
  const surface = context(canvas);
  surface.setTransform(ratio, 0, 0, ratio, 0, 0);
  surface.clearRect(0, 0, viewport.stage.width, viewport.stage.height);
  const { annotations, threeD } = session;
  const solids = annotations.solidsOf(session.series[series].uid);
  threeD.drawProjected(surface, viewport, solids, annotations.selected.peek());
}
