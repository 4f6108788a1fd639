/** All annotations of the film: where they are, what they say; save, export, take back (E16, E17). */

import type { Annotation } from '../dicom/annotation';
import type { AnnotationSync, Conflict } from '../session/annotation_sync';
import type { FilmSession } from '../session/film_session';
import { rewrite } from '../tools/measure/edit';
import { cleanText, KIND_WORDS, measuredLines } from '../viewport/annotations/labels';
import { MOST_ANNOTATIONS } from '../viewport/annotations/read';
import { ask } from './prompt';
import { saveFile } from './save_file';
import '../styles/annotation_panel.css';

interface PanelProps {
  session: FilmSession;
  sync: AnnotationSync;
  /** The picture of the active cell with its annotations as PNG; `null` when there is none. */
  exportImage: () => Promise<Blob | null>;
}

export function AnnotationPanel({ session, sync, exportImage }: PanelProps) {
  const { annotations: book } = session;
  const all = book.all.value;
  return (
    <section class="annotation-panel" aria-label="标注列表">
      <div class="annotation-buttons">
        <button type="button" data-mark="undo" disabled={!book.canUndo.value} onClick={() => book.undo()}>
          撤销
        </button>
        <button type="button" data-mark="redo" disabled={!book.canRedo.value} onClick={() => book.redo()}>
          重做
        </button>
        <button
          type="button"
          data-mark="clear"
          disabled={all.length === 0}
          onClick={() => book.remove(...all.map(({ uid }) => uid))}
        >
          清空
        </button>
      </div>
      {book.isFull && <p class="annotation-said">已有 {MOST_ANNOTATIONS} 条标注，请先删除一些</p>}
      {all.length === 0 && <p class="annotation-said">还没有标注：选一个测量工具，在图像上拖动。</p>}
      <ul class="annotation-list">
        {all.map((annotation) => (
          <Row key={annotation.uid} session={session} sync={sync} annotation={annotation} />
        ))}
      </ul>
      <Conflicts session={session} sync={sync} />
      <p class="annotation-said" role="status">
        {sync.message.value}
      </p>
      <Export session={session} sync={sync} exportImage={exportImage} />
    </section>
  );
}

function Row({
  session,
  sync,
  annotation,
}: {
  session: FilmSession;
  sync: AnnotationSync;
  annotation: Annotation;
}) {
  const { annotations: book } = session;
  const { uid } = annotation;
  const text = cleanText(annotation.text);
  return (
    <li data-mark-uid={uid} data-selected={book.selected.value === uid}>
      <button
        type="button"
        class="annotation-what"
        data-mark="jump"
        onClick={() => jump(session, annotation)}
      >
        <span class="annotation-kind">
          {KIND_WORDS[annotation.kind]}
          {text && <bdi> {text}</bdi>}
        </span>
        {measuredLines(annotation).map((line) => (
          <span class="annotation-value" key={line}>
            {line}
          </span>
        ))}
        <span class="annotation-where">
          {whereOf(session, annotation)}
          {annotation.author && <bdi> · {cleanText(annotation.author)}</bdi>}
          {sync.maySave && !sync.isOnFilm(annotation) && ' · 只在本页，不能保存'}
        </span>
      </button>
      <button type="button" data-mark="rename" onClick={() => void rewrite({ annotations: book, ask }, uid)}>
        改名
      </button>
      <button type="button" data-mark="delete" onClick={() => book.remove(uid)}>
        删除
      </button>
    </li>
  );
}

function whereOf(session: FilmSession, annotation: Annotation): string {
  if (annotation.instance === null) return '三维';
  const ref = session.find(annotation.instance, annotation.frame);
  return ref ? `序列 ${ref.series + 1} 第 ${ref.frame + 1} 幅` : '重建图像';
}

function jump(session: FilmSession, annotation: Annotation): void {
  session.annotations.select(annotation.uid);
  if (annotation.instance === null) {
    session.goToPoint(session.active.peek(), annotation.points[0]);
    return;
  }
  const ref = session.find(annotation.instance, annotation.frame);
  if (ref) void session.goto(ref);
}

function Conflicts({ session, sync }: { session: FilmSession; sync: AnnotationSync }) {
  return (
    <>
      {sync.conflicts.value.map((conflict) => (
        <div class="annotation-conflict" role="alert" key={conflict.uid}>
          <p>{conflictWords(session, conflict)}</p>
          <div class="annotation-buttons">
            <button type="button" data-mark="mine" onClick={() => void sync.resolve(conflict.uid, 'mine')}>
              保留我的
            </button>
            <button
              type="button"
              data-mark="theirs"
              onClick={() => void sync.resolve(conflict.uid, 'theirs')}
            >
              {conflict.theirs ? '采用对方的' : '同意删除'}
            </button>
          </div>
        </div>
      ))}
    </>
  );
}

function conflictWords({ annotations }: FilmSession, { uid, theirs }: Conflict): string {
  const ours = annotations.get(uid);
  const name = ours ? [KIND_WORDS[ours.kind], cleanText(ours.text)].filter(Boolean).join(' ') : '标注';
  if (!theirs) return `“${name}”已被他人删除。`;
  const said = [cleanText(theirs.text), ...measuredLines(theirs)].filter(Boolean).join('，');
  return `“${name}”已被 ${cleanText(theirs.author) || '他人'} 改为：${said || '另一位置'}。`;
}

function Export({ session, sync, exportImage }: PanelProps) {
  const isEmpty = session.annotations.all.value.length === 0;
  const isBusy = sync.isBusy.value;
  return (
    <div class="annotation-buttons">
      {sync.maySave && (
        <button
          type="button"
          class="annotation-save"
          data-mark="save"
          disabled={isBusy || sync.unsaved.value === 0}
          onClick={() => void sync.save()}
        >
          保存到检查{sync.unsaved.value > 0 && `（${sync.unsaved.value}）`}
        </button>
      )}
      <button
        type="button"
        data-mark="sr"
        disabled={isBusy || isEmpty}
        onClick={() => void saveReports(sync)}
      >
        导出 DICOM SR
      </button>
      <button type="button" data-mark="image" onClick={() => void saveImage(exportImage)}>
        导出图片
      </button>
    </div>
  );
}

async function saveReports(sync: AnnotationSync): Promise<void> {
  for (const { exam, file } of await sync.reports()) saveFile(file, `exam-${exam}-measurements.dcm`);
}

async function saveImage(exportImage: PanelProps['exportImage']): Promise<void> {
  const image = await exportImage();
  if (image) saveFile(image, 'film.png');
}
