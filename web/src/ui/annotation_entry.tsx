/** Brings the annotations of the exam onto the film, and the panel that lists them. */

import { AnnotationApi } from '../session/annotation_api';
import { AnnotationSync } from '../session/annotation_sync';
import type { FilmSession } from '../session/film_session';
import { AnnotationPanel } from './annotation_panel';
import { ICONS } from './icons';
import { registerPanel } from './panel_registry';
import { WORDS } from './words';

export function offerAnnotations(session: FilmSession, csrfToken: string): AnnotationSync {
  const sync = new AnnotationSync(session.annotations, session.manifest, new AnnotationApi(csrfToken));
  registerPanel({
    id: 'marks',
    label: WORDS.marks,
    icon: ICONS.list,
    render: () => (
      <AnnotationPanel
        session={session}
        sync={sync}
        exportImage={() => activePicture(session.manifest.watermark)}
      />
    ),
  });
  sync.warnAtLeaving(window);
  // called now, and when an exam is opened beside this one: that has a record of its own
  session.seriesCount.subscribe(() => void sync.load());
  return sync;
}

/** The image of the active cell and what lies over it, as the reader sees them; `null` without an image. */
async function activePicture(watermark: string | null): Promise<Blob | null> {
  const cells = [...document.querySelectorAll('#film .cell')];
  const cell = cells.find((one) => one.getAttribute('data-active') === 'true') ?? cells[0];
  const [image, ...over] = cell?.querySelectorAll('canvas') ?? [];
  if (!image?.width || !image.height) return null;
  const picture = document.createElement('canvas');
  [picture.width, picture.height] = [image.width, image.height];
  const surface = picture.getContext('2d');
  if (!surface) return null;
  for (const layer of [image, ...over]) surface.drawImage(layer, 0, 0, picture.width, picture.height);
  if (watermark) drawWatermark(surface, watermark);
  return new Promise((resolve) => picture.toBlob(resolve, 'image/png'));
}

/** What must stand on every picture of this film stands on one that leaves it too. */
function drawWatermark(surface: CanvasRenderingContext2D, text: string): void {
  const { width, height } = surface.canvas;
  surface.font = `${Math.round(width / 24)}px system-ui, sans-serif`;
  surface.textAlign = 'center';
  surface.fillStyle = 'rgba(255, 255, 255, 0.25)';
  surface.fillText(text, width / 2, height / 2, width);
}
