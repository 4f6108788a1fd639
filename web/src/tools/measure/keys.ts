/** Keys that belong to what is drawn. */

import type { AnnotationBook } from '../../viewport/annotations/book';

type KeyPress = Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'shiftKey' | 'altKey'>;

/** Acts on the key; `false` when it means nothing here and others may have it. */
export function handleMeasureKey(press: KeyPress, book: AnnotationBook): boolean {
  if (press.altKey) return false;
  return press.ctrlKey || press.metaKey ? handleShortcut(press, book) : handlePlain(press, book);
}

function handleShortcut({ key, shiftKey }: KeyPress, book: AnnotationBook): boolean {
  const letter = key.toLowerCase();
  const isRedo = letter === 'y' || (letter === 'z' && shiftKey);
  if (!isRedo && letter !== 'z') return false;
  if (isRedo) book.redo();
  else book.undo();
  return true;
}

function handlePlain({ key }: KeyPress, book: AnnotationBook): boolean {
  if (key === 'Escape') {
    if (!book.draft.value && !book.selected.value) return false;
    if (book.draft.value) book.draft.value = null;
    else book.select(null);
    return true;
  }
  if ((key !== 'Delete' && key !== 'Backspace') || !book.selected.value) return false;
  book.remove(book.selected.value);
  return true;
}
