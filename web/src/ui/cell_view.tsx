/** One cell on the page: the image, what lies over it, what is said on it. */

import { effect } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { Cell } from '../session/cell';
import { drawOverlay } from '../session/cell_overlay';
import type { FilmSession } from '../session/film_session';
import { stageOf } from '../session/stage_of';
import { bindPointers } from '../tools/input';
import { ImageViewport } from '../viewport/image_viewport';
import { Notice } from './notice';
import { Overlay } from './overlay';
import { ask } from './prompt';
import { SERIES_DRAG } from './series_strip';
import { VolumeCell } from './volume_cell';
import { WORDS } from './words';

interface CellProps {
  session: FilmSession;
  cell: Cell;
  index: number;
}

export function CellView({ session, cell, index }: CellProps) {
  const isActive = session.activeIndex.value === index;
  const content = cell.content.value;
  return (
    <section
      class="cell"
      aria-label={`${WORDS.cell} ${index + 1}`}
      data-cell={index}
      data-active={isActive && session.cells.value.length > 1}
      data-dimmed={cell.fault.value !== null}
      onPointerDownCapture={() => session.activate(session.cells.peek().indexOf(cell))}
      onDragOver={(event) => {
        if (event.dataTransfer?.types.includes(SERIES_DRAG)) event.preventDefault();
      }}
      onDrop={(event) => {
        const series = Number.parseInt(event.dataTransfer?.getData(SERIES_DRAG) ?? '', 10);
        event.preventDefault();
        if (session.series[series]) session.openSeries(series, session.cells.peek().indexOf(cell));
      }}
    >
      {content.kind === 'volume' ? (
        <VolumeCell session={session} cell={cell} series={content.series} />
      ) : (
        <ImageLayers session={session} cell={cell} />
      )}
      <Overlay session={session} cell={cell} />
      <Notice session={session} cell={cell} />
    </section>
  );
}

/** The canvas of the image and, over it, the one of lines and letters. */
function ImageLayers({ session, cell }: Omit<CellProps, 'index'>) {
  const image = useRef<HTMLCanvasElement>(null);
  const over = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    if (!image.current || !over.current) return;
    const [canvas, top] = [image.current, over.current];
    const viewport = new ImageViewport(canvas, () => drawOverlay(session, cell, top));
    cell.attach(viewport);
    bindPointers(
      canvas,
      () => stageOf(session, cell, ask),
      () => session.tool.peek(),
    );
    const observer = new ResizeObserver(() => viewport.redraw());
    observer.observe(canvas);
    const stop = effect(() => {
      readAll(session);
      viewport.redraw();
    });
    return () => {
      stop();
      observer.disconnect();
      cell.attach(null);
    };
  }, [session, cell]);
  return (
    <>
      <canvas class="image" ref={image} />
      <canvas class="over" ref={over} />
    </>
  );
}

/** Everything that the overlay of a cell shows besides its own image. */
function readAll(session: FilmSession): void {
  session.point.value;
  session.showsLines.value;
  session.showsText.value;
  session.showsPresentations.value;
  session.annotations.visible.value;
  session.annotations.selected.value;
  session.activeIndex.value;
  session.pointer.value;
  for (const cell of session.cells.value) cell.picture.value;
}
