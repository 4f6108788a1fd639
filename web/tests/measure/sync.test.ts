import { describe, expect, it } from 'vitest';
import type { Annotation } from '../../src/dicom/annotation';
import type { SeriesInfo } from '../../src/dicom/manifest';
import { AnnotationApi } from '../../src/session/annotation_api';
import { AnnotationSync } from '../../src/session/annotation_sync';
import { AnnotationBook } from '../../src/viewport/annotations/book';
import { isSameContent } from '../../src/viewport/annotations/versions';
import { frameInfo, manifestOf, seriesOf } from '../samples';
import { lengthOf } from './samples';

/** The record of exam 1 by the server's rules: the higher revision counts, an equal one that differs is refused. */
class Server {
  readonly rows = new Map<string, Annotation | { revision: number; gone: true }>();
  readonly requests: { url: string; token: string | null; body: Record<string, unknown> | null }[] = [];
  /** Answers this instead, once. */
  fails: Response | 'no network' | null = null;

  readonly fetch: typeof fetch = async (input, init) => {
    const body = init?.body ? JSON.parse(String(init.body)) : null;
    this.requests.push({ url: String(input), token: new Headers(init?.headers).get('X-CSRF-Token'), body });
    const failure = this.fails;
    this.fails = null;
    if (failure === 'no network') throw new TypeError('Failed to fetch');
    if (failure) return failure;
    if (String(input).endsWith('/sr')) return new Response('DICM');
    const wrong = body && this.write(body.annotations, body.removed);
    if (wrong)
      return Response.json({ detail: `annotation ${wrong}: revision is another one` }, { status: 409 });
    return Response.json({ annotations: this.list() });
  };

  list(): Annotation[] {
    return [...this.rows.values()].filter((row): row is Annotation => !('gone' in row));
  }

  remove(uid: string): void {
    this.rows.set(uid, { revision: this.rows.get(uid)?.revision ?? 0, gone: true });
  }

  private write(annotations: Annotation[], removed: string[]): string | null {
    for (const told of annotations) {
      const row = this.rows.get(told.uid);
      if (row?.revision === told.revision && ('gone' in row || !isSameContent(row, told))) return told.uid;
    }
    for (const told of annotations) {
      if (told.revision > (this.rows.get(told.uid)?.revision ?? 0))
        this.rows.set(told.uid, { ...told, author: '医生' });
    }
    for (const uid of removed) this.remove(uid);
    return null;
  }
}

function page(server: Server, maySave = true) {
  const book = new AnnotationBook();
  const film = manifestOf(seriesOf([frameInfo()]));
  const manifest = { ...film, may: { ...film.may, save_annotations: maySave } };
  const sync = new AnnotationSync(book, manifest, new AnnotationApi('token', server.fetch));
  return { book, sync };
}

describe('the record of the exam', () => {
  it('is brought, and nothing of it is unsaved', async () => {
    const server = new Server();
    server.rows.set('a', lengthOf('a', { author: '甲' }));
    const { book, sync } = page(server);
    await sync.load();
    expect(book.get('a')?.author).toBe('甲');
    expect(sync.unsaved.value).toBe(0);
    expect(server.requests[0].url).toBe('/api/v1/exams/1/annotations');
  });

  it('takes what changed, with the token of the page, and only that', async () => {
    const server = new Server();
    server.rows.set('a', lengthOf('a'));
    server.rows.set('b', lengthOf('b'));
    const { book, sync } = page(server);
    await sync.load();
    book.update('a', { text: 'x' });
    book.remove('b');
    book.add(lengthOf('c'));
    expect(sync.unsaved.value).toBe(3);
    await sync.save();
    const sent = server.requests[1];
    expect(sent.token).toBe('token');
    expect((sent.body as { annotations: Annotation[] }).annotations.map(({ uid }) => uid)).toEqual([
      'a',
      'c',
    ]);
    expect(sent.body?.removed).toEqual(['b']);
    expect(sync.unsaved.value).toBe(0);
    expect(sync.message.value).toBe('已保存到检查');
    expect(book.get('c')?.author).toBe('医生');
    await sync.save();
    expect(server.requests).toHaveLength(2);
  });

  it('is not sent what lies on a slice that this page cut', async () => {
    const server = new Server();
    const { book, sync } = page(server);
    book.add(lengthOf('a', { instance: 'mpr.axial.12' }));
    book.add(lengthOf('b', { series: '9' }));
    expect(sync.unsaved.value).toBe(0);
    await sync.save();
    expect(server.requests).toEqual([]);
  });

  it('keeps a change that could not be sent, and says why', async () => {
    const server = new Server();
    const { book, sync } = page(server);
    book.add(lengthOf('a'));
    server.fails = 'no network';
    await sync.save();
    expect(sync.message.value).toContain('网络不通');
    server.fails = new Response('<html>', { status: 403 });
    await sync.save();
    expect(sync.message.value).toContain('没有权限');
    expect(sync.unsaved.value).toBe(1);
    await sync.save();
    expect(sync.unsaved.value).toBe(0);
  });

  it('of two readers: the conflict is said, and either version can be kept', async () => {
    for (const choice of ['mine', 'theirs'] as const) {
      const server = new Server();
      const [first, second] = [page(server), page(server)];
      first.book.add(lengthOf('a'));
      await first.sync.save();
      await second.sync.load();
      first.book.update('a', { text: '甲' });
      second.book.update('a', { text: '乙' });
      await first.sync.save();
      await second.sync.save();
      expect(second.sync.conflicts.value).toMatchObject([{ uid: 'a', theirs: { text: '甲' } }]);
      expect(second.sync.message.value).toContain('已被他人修改');
      expect(second.book.get('a')?.text).toBe('乙');
      await second.sync.resolve('a', choice);
      expect(second.sync.conflicts.value).toEqual([]);
      expect(second.sync.unsaved.value).toBe(0);
      const kept = choice === 'mine' ? '乙' : '甲';
      expect(second.book.get('a')?.text).toBe(kept);
      expect(server.list()).toMatchObject([{ text: kept }]);
      await first.sync.load();
      expect(first.book.get('a')?.text).toBe(kept);
    }
  });

  it('of two readers: a version that others have passed is not lost in silence', async () => {
    const server = new Server();
    const { book, sync } = page(server);
    server.rows.set('a', lengthOf('a'));
    await sync.load();
    book.update('a', { text: 'mine' });
    server.rows.set('a', lengthOf('a', { text: 'theirs', revision: 7 }));
    await sync.save();
    expect(book.get('a')?.text).toBe('theirs');
    expect(sync.message.value).toContain('1 条已有他人的更新版本');
  });

  it('of two readers: what one removed and the other changed', async () => {
    const server = new Server();
    server.rows.set('a', lengthOf('a', { revision: 2 }));
    const { book, sync } = page(server);
    await sync.load();
    server.remove('a');
    server.rows.set('a', { revision: 3, gone: true });
    book.update('a', { text: 'mine' });
    await sync.save();
    expect(sync.conflicts.value).toEqual([{ uid: 'a', theirs: null }]);
    await sync.resolve('a', 'mine');
    expect(server.list()).toMatchObject([{ text: 'mine' }]);
  });

  it('of two readers: what one removed goes from the other, unless it was changed there', async () => {
    const server = new Server();
    server.rows.set('a', lengthOf('a'));
    server.rows.set('b', lengthOf('b'));
    const { book, sync } = page(server);
    await sync.load();
    book.update('b', { text: 'mine' });
    server.remove('a');
    server.remove('b');
    await sync.load();
    expect(book.all.value.map(({ uid }) => uid)).toEqual(['b']);
  });

  it('read again does not bring back what was removed here and is not saved yet', async () => {
    const server = new Server();
    server.rows.set('a', lengthOf('a'));
    const { book, sync } = page(server);
    await sync.load();
    book.remove('a');
    await sync.load();
    expect(book.get('a')).toBeNull();
    expect(sync.unsaved.value).toBe(1);
  });

  it('is not written by who may not', async () => {
    const server = new Server();
    const { book, sync } = page(server, false);
    book.add(lengthOf('a'));
    await sync.save();
    expect(server.requests).toEqual([]);
  });

  it('takes many long contours in several requests', async () => {
    const server = new Server();
    const { book, sync } = page(server);
    const points = Array.from({ length: 2000 }, (_, i): [number, number] => [i + 0.25, i * 2 + 0.75]);
    for (let i = 0; i < 60; i++) book.add(lengthOf(`u${i}`, { kind: 'freehand', points }));
    await sync.save();
    expect(server.requests.length).toBeGreaterThan(1);
    for (const { body } of server.requests) expect(JSON.stringify(body).length).toBeLessThan(2 ** 20);
    expect(server.rows.size).toBe(60);
    expect(sync.unsaved.value).toBe(0);
  });

  it('hostile answers are left out', async () => {
    const server = new Server();
    const { book, sync } = page(server);
    for (const answer of [{ annotations: [{ uid: 1 }, null] }, { annotations: 'x' }, null, []]) {
      server.fails = Response.json(answer);
      await sync.load();
      expect(book.all.value).toEqual([]);
    }
  });
});

it('series of another exam that are added for comparing have a record of their own', async () => {
  const server = new Server();
  const film = manifestOf(seriesOf([frameInfo()]));
  const manifest = { ...film, may: { ...film.may, save_annotations: true } };
  const book = new AnnotationBook();
  const sync = new AnnotationSync(book, manifest, new AnnotationApi('token', server.fetch));
  await sync.load();
  const added = { ...seriesOf([frameInfo({ instance: '7.8' })]), uid: '7', exam_id: 2 };
  (manifest.series as SeriesInfo[]).push(added);
  book.add(lengthOf('a', { series: '7', instance: '7.8' }));
  expect(sync.unsaved.value).toBe(1);
  await sync.save();
  expect(server.requests.map(({ url }) => url)).toEqual([
    '/api/v1/exams/1/annotations',
    '/api/v1/exams/2/annotations',
  ]);
});

it('a report holds what lies on the film', async () => {
  const server = new Server();
  const { book, sync } = page(server, false);
  expect(await sync.reports()).toEqual([]);
  book.add(lengthOf('a'));
  book.add(lengthOf('b', { instance: 'mpr.1' }));
  const [report] = await sync.reports();
  expect(report.exam).toBe(1);
  expect(await report.file.text()).toBe('DICM');
  expect(server.requests[0].url).toBe('/api/v1/exams/1/annotations/sr');
  expect(server.requests[0].body?.annotations).toHaveLength(1);
});

it('leaving with unsaved changes is asked about, otherwise not', async () => {
  const server = new Server();
  const { book, sync } = page(server);
  const target = new EventTarget() as unknown as Window;
  const stop = sync.warnAtLeaving(target);
  const leave = (): boolean => {
    const event = new Event('beforeunload', { cancelable: true });
    target.dispatchEvent(event);
    return event.defaultPrevented;
  };
  expect(leave()).toBe(false);
  book.add(lengthOf('a'));
  expect(leave()).toBe(true);
  await sync.save();
  expect(leave()).toBe(false);
  book.add(lengthOf('b'));
  stop();
  expect(leave()).toBe(false);
});
