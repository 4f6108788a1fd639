/** Asks for a line of text, in the page: WeChat and embedding pages may forbid the browser's own box. */

import { signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { WORDS } from './words';

interface Question {
  readonly text: string;
  readonly before: string;
  readonly answer: (text: string | null) => void;
}

const asked = signal<Question | null>(null);

/** The line that the reader wrote; `null` when it was given up. */
export function ask(text: string, before: string): Promise<string | null> {
  asked.peek()?.answer(null);
  return new Promise((resolve) => {
    asked.value = {
      text,
      before,
      answer: (line) => {
        asked.value = null;
        resolve(line);
      },
    };
  });
}

export function PromptBox() {
  const question = asked.value;
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), [question]);
  if (!question) return null;
  return (
    <form
      class="prompt"
      aria-label={question.text}
      onKeyDown={(event) => {
        if (event.key === 'Escape') question.answer(null);
      }}
      onSubmit={(event) => {
        event.preventDefault();
        question.answer(field.current?.value ?? '');
      }}
    >
      <label>
        {question.text}
        <input ref={field} type="text" maxLength={500} defaultValue={question.before} />
      </label>
      <div class="buttons">
        <button type="button" onClick={() => question.answer(null)}>
          {WORDS.cancel}
        </button>
        <button type="submit">{WORDS.confirm}</button>
      </div>
    </form>
  );
}
