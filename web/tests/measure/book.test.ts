import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { AnnotationBook } from '../../src/viewport/annotations/book';
import { MOST_ANNOTATIONS } from '../../src/viewport/annotations/read';
import { lengthOf, sphere } from './samples';

const texts = (book: AnnotationBook): string[] => book.all.value.map(({ uid, text }) => `${uid}:${text}`);

function bookWith(...uids: string[]): AnnotationBook {
  const book = new AnnotationBook();
  for (const uid of uids) book.add(lengthOf(uid));
  return book;
}

describe('the book', () => {
  it('finds what lies on a frame, and the solids of a series', () => {
    const book = bookWith('a');
    book.add(lengthOf('b', { frame: 2 }));
    book.add(sphere('s'));
    expect(book.onFrame('1.2.3', 1).map(({ uid }) => uid)).toEqual(['a']);
    expect(book.solidsOf('1.2').map(({ uid }) => uid)).toEqual(['s']);
    expect(book.solidsOf('9')).toEqual([]);
    book.draft.value = lengthOf('a', { text: 'moving' });
    expect(book.onFrame('1.2.3', 1).map(({ text }) => text)).toEqual(['moving']);
    expect(texts(book)[0]).toBe('a:');
  });

  it('counts a revision for every change, undone ones too, and names who made it', () => {
    const book = bookWith('a');
    book.author = '甲';
    book.update('a', { text: 'x' });
    expect(book.get('a')).toMatchObject({ revision: 2, author: '甲' });
    book.undo();
    expect(book.get('a')).toMatchObject({ revision: 3, text: '' });
    book.update('a', { text: '' });
    expect(book.get('a')?.revision).toBe(3);
  });

  it('takes back and does again', () => {
    const book = bookWith('a', 'b');
    book.update('a', { text: 'x' });
    book.remove('a', 'b');
    expect(texts(book)).toEqual([]);
    book.undo();
    expect(texts(book).sort()).toEqual(['a:x', 'b:']);
    book.undo();
    expect(book.get('a')?.text).toBe('');
    book.redo();
    book.redo();
    expect(texts(book)).toEqual([]);
    expect(book.canRedo.value).toBe(false);
    for (let i = 0; i < 4; i++) book.undo();
    expect(texts(book)).toEqual([]);
    expect(book.canUndo.value).toBe(false);
  });

  it('does not take back what somebody else changed meanwhile', () => {
    const book = bookWith('a', 'b');
    book.update('a', { text: 'mine' });
    book.merge({ annotations: [lengthOf('a', { text: 'theirs', revision: 9 })], removed: [] });
    book.undo();
    expect(texts(book)).toEqual(['a:theirs']); // the step before it was taken back: 'b' was made
  });

  it('of two versions keeps the higher, whichever came first', () => {
    const versions = fc.uniqueArray(
      fc.record({
        revision: fc.integer({ min: 1, max: 3 }),
        author: fc.constantFrom('甲', '乙'),
        text: fc.string(),
      }),
      { selector: (v) => JSON.stringify(v), minLength: 2, maxLength: 6 },
    );
    fc.assert(
      fc.property(versions, (all) => {
        const [here, there] = [new AnnotationBook(), new AnnotationBook()];
        const annotations = all.map((version) => lengthOf('a', version));
        for (const one of annotations) here.merge({ annotations: [one], removed: [] });
        for (const one of annotations.reverse()) there.merge({ annotations: [one], removed: [] });
        expect(here.all.value).toEqual(there.all.value);
        expect(here.get('a')?.revision).toBe(Math.max(...all.map(({ revision }) => revision)));
      }),
    );
  });

  it('two books that exchange their states end alike after any changes', () => {
    const act = fc.record({
      who: fc.integer({ min: 0, max: 1 }),
      what: fc.constantFrom('add', 'text', 'remove', 'undo', 'redo', 'tell'),
      uid: fc.constantFrom('a', 'b', 'c'),
      text: fc.string({ maxLength: 3 }),
    });
    fc.assert(
      fc.property(fc.array(act, { maxLength: 40 }), (acts) => {
        const books = [new AnnotationBook(), new AnnotationBook()];
        books.forEach((book, i) => {
          book.author = `${i}`;
        });
        const tell = (from: number): void => {
          expect(books[1 - from].load(JSON.parse(JSON.stringify(books[from])))).toBe(0);
        };
        for (const { who, what, uid, text } of acts) {
          const book = books[who];
          if (what === 'add' && !book.get(uid)) book.add(lengthOf(uid, { text }));
          if (what === 'text') book.update(uid, { text });
          if (what === 'remove') book.remove(uid);
          if (what === 'undo') book.undo();
          if (what === 'redo') book.redo();
          if (what === 'tell') tell(who);
        }
        for (const from of [0, 1, 0]) tell(from);
        const sorted = books.map((book) => [...book.all.value].sort((a, b) => (a.uid < b.uid ? -1 : 1)));
        expect(sorted[0]).toEqual(sorted[1]);
      }),
    );
  });

  it('a removed one is not brought back by an older version, but by undoing', () => {
    const book = bookWith('a');
    const old = book.all.value;
    book.remove('a');
    book.merge({ annotations: old, removed: [] });
    expect(book.get('a')).toBeNull();
    book.undo();
    expect(book.get('a')?.revision).toBeGreaterThan(2);
  });

  it('the record of the exam counts where revisions are equal', () => {
    const book = bookWith('a');
    book.author = '乙';
    book.update('a', { text: 'x' });
    const stored = lengthOf('a', { text: 'x', revision: 2, author: '' });
    book.merge({ annotations: [stored], removed: [] }, true);
    expect(book.get('a')?.author).toBe('');
    book.update('a', { text: 'newer' });
    book.merge({ annotations: [stored], removed: [] }, true);
    expect(book.get('a')?.text).toBe('newer');
  });

  it('says whose change it was, and of which', () => {
    const book = new AnnotationBook();
    const heard = vi.fn();
    const stop = book.onChange(heard);
    book.add(lengthOf('a'));
    book.merge({ annotations: [lengthOf('b')], removed: [['a', 7]] });
    expect(heard.mock.calls.map(([change]) => [change.origin, change.put.length, change.removed])).toEqual([
      ['local', 1, []],
      ['remote', 1, ['a']],
    ]);
    book.merge({ annotations: [lengthOf('b')], removed: [['a', 7]] });
    expect(heard).toHaveBeenCalledTimes(2);
    stop();
    book.remove('b');
    expect(heard).toHaveBeenCalledTimes(2);
  });

  it('selects what was made, and nothing that is gone', () => {
    const book = bookWith('a', 'b');
    expect(book.selected.value).toBe('b');
    book.remove('b');
    expect(book.selected.value).toBeNull();
  });

  it('is bounded', () => {
    const book = new AnnotationBook();
    for (let i = 0; i < MOST_ANNOTATIONS; i++) book.add(lengthOf(`u${i}`));
    expect(() => book.add(lengthOf('more'))).toThrow(RangeError);
    book.merge({ annotations: [lengthOf('more')], removed: [] });
    expect(book.all.value.length).toBe(MOST_ANNOTATIONS);
  });
});
