/** Panels that come with a later part of the viewer, or from a plug-in (F6). */

import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';

export interface PluggedPanel {
  readonly id: string;
  readonly label: string;
  readonly icon: string;
  readonly render: (close: () => void) => ComponentChildren;
}

export const panels = signal<readonly PluggedPanel[]>([]);

/** Raises `RangeError` for an id that is taken. */
export function registerPanel(panel: PluggedPanel): void {
  if (panels.peek().some(({ id }) => id === panel.id))
    throw new RangeError(`there is a panel ${panel.id} already`);
  panels.value = [...panels.peek(), panel];
}
