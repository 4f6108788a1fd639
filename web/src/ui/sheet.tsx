/** A panel over the toolbar, and the buttons of tools in it. */

import type { ComponentChildren } from 'preact';
import type { FilmSession } from '../session/film_session';
import type { Tool } from '../tools/tool';
import { Icon } from './icon';

export function Sheet({ id, children }: { id: string; children: ComponentChildren }) {
  return (
    <div class="panel" data-panel={id}>
      {children}
    </div>
  );
}

export function ToolButton({ session, tool }: { session: FilmSession; tool: Tool }) {
  return (
    <button
      type="button"
      data-tool={tool.id}
      aria-pressed={session.tool.value === tool}
      onClick={() => {
        session.tool.value = tool;
      }}
    >
      <Icon path={tool.icon} />
      {tool.label}
    </button>
  );
}
