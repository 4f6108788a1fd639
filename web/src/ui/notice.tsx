/** Loading and faults, over the picture, in words and with what the reader can do. */

import type { Cell } from '../session/cell';
import type { FilmSession } from '../session/film_session';
import { FAULT_WORDS, IS_WORTH_RETRYING, refusalWords, WORDS } from './words';

export function Notice({ session, cell }: { session: FilmSession; cell: Cell }) {
  const fault = cell.fault.value;
  if (fault) {
    const frame = cell.wanted?.frame;
    return (
      <div class="notice" role="alert" data-fault={fault.kind}>
        <p>
          {frame !== undefined && `第 ${frame + 1} 幅：`}
          {refusalWords(fault) ?? FAULT_WORDS[fault.kind]}
        </p>
        {IS_WORTH_RETRYING.has(fault.kind) && (
          <button type="button" onClick={() => session.retry(cell)}>
            {WORDS.retry}
          </button>
        )}
      </div>
    );
  }
  const isOpening = cell.content.value.kind !== 'volume' && cell.content.value.kind !== 'empty';
  if (cell.picture.value || !isOpening) return null;
  return (
    <output class="busy">
      <span class="spinner" />
      {WORDS.loading}
    </output>
  );
}
