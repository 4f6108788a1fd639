/** A rendered volume in its cell, with what steers it. Loaded with the first volume. */

import { effect } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Cell } from '../session/cell';
import type { FilmSession } from '../session/film_session';
import { drawOverVolume } from '../tools/space3d/draw_in_volume';
import { bindVolumePointers } from '../tools/space3d/volume_pointers';
import { VolumeViewport } from '../viewport/volume_viewport';
import type { VolumeData } from '../volume/volume';
import { VolumePanel } from './volume_panel';

interface VolumeViewProps {
  readonly session: FilmSession;
  readonly cell: Cell;
  readonly volume: VolumeData;
}

export function VolumeView({ session, cell, volume }: VolumeViewProps) {
  const picture = useRef<HTMLCanvasElement>(null);
  const over = useRef<HTMLCanvasElement>(null);
  const [viewport, setViewport] = useState<VolumeViewport | null>(null);
  useEffect(() => {
    if (!picture.current || !over.current) return;
    const made = attach(session, cell, volume, picture.current, over.current);
    setViewport(made.viewport);
    return () => {
      setViewport(null);
      made.detach();
    };
  }, [session, cell, volume]);
  return (
    <div class="volume" data-kind={viewport?.kind}>
      <canvas class="image" ref={picture} />
      <canvas class="over" ref={over} />
      {viewport && <VolumePanel viewport={viewport} state={cell.camera.value} />}
    </div>
  );
}

function attach(
  session: FilmSession,
  cell: Cell,
  volume: VolumeData,
  picture: HTMLCanvasElement,
  over: HTMLCanvasElement,
): { viewport: VolumeViewport; detach: () => void } {
  let own: object | null = null;
  const drawOver = (): void => {
    const { annotations, point } = session;
    const here = point.peek()?.space === volume.frame_of_reference ? point.peek() : null;
    drawOverVolume(over, viewport, {
      solids: annotations.solidsOf(volume.series),
      selected: annotations.selected.peek(),
      point: here?.at ?? null,
    });
  };
  const viewport = new VolumeViewport(picture, volume, {
    onChange: (state) => {
      own = state;
      cell.camera.value = state;
    },
    onDrawn: () => {
      picture.dataset.kind = viewport.kind;
      drawOver();
    },
  });
  bindVolumePointers(picture, viewport, {
    chosen: () => session.tool.peek().id,
    annotations: session.annotations,
    goToPoint: (point) => session.goToPoint(cell, point),
  });
  const stops = [
    effect(() => {
      const state = cell.camera.value; // by this reader, or by the presenter of a live room
      if (!state || state === own) return;
      try {
        viewport.restore(state);
      } catch (error) {
        if (!(error instanceof RangeError)) throw error; // no camera: the one before stays
      }
    }),
    effect(() => {
      session.threeD.version.value;
      viewport.refresh();
    }),
    effect(() => {
      session.annotations.visible.value;
      session.annotations.selected.value;
      session.point.value;
      drawOver();
    }),
  ];
  const observer = new ResizeObserver(() => viewport.redraw());
  observer.observe(picture);
  return {
    viewport,
    detach: () => {
      for (const stop of stops) stop();
      observer.disconnect();
      viewport.dispose();
    },
  };
}
