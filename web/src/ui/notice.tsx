/** Loading and faults, over the picture, in words and with what the reader can do. */

import type { FilmSession } from '../session/film_session';
import { FAULT_WORDS, IS_WORTH_RETRYING, WORDS } from './words';

export function Notice({ session }: { session: FilmSession }) {
  const fault = session.fault.value;
  if (fault) {
    return (
      <div class="notice" role="alert" data-fault={fault.kind}>
        <p>
          第 {session.wanted.value.frame + 1} 幅：{FAULT_WORDS[fault.kind]}
        </p>
        {IS_WORTH_RETRYING.has(fault.kind) && (
          <button type="button" onClick={() => session.retry()}>
            {WORDS.retry}
          </button>
        )}
      </div>
    );
  }
  if (session.shown.value) return null;
  return (
    <output class="busy">
      <span class="spinner" />
      {WORDS.loading}
    </output>
  );
}
