/** The tools of the viewer, in the order of the toolbar. */

import { locate } from './locate';
import { magnifier } from './magnifier';
import { pan } from './pan';
import { rotate } from './rotate';
import { scroll } from './scroll';
import type { Tool } from './tool';
import { windowing } from './window';
import { zoom } from './zoom';

export const VIEW_TOOLS: readonly Tool[] = [scroll, windowing, zoom, pan, magnifier, rotate, locate];
export const FIRST_TOOL = scroll;
/** What the other mouse buttons do, as radiologists know it. */
export const RIGHT_BUTTON_TOOL = windowing;
export const MIDDLE_BUTTON_TOOL = pan;

const known = new Map(VIEW_TOOLS.map((tool) => [tool.id, tool]));

/** Tools that come with a later part of the viewer, or from a plug-in. Raises `RangeError` for an id that is taken. */
export function registerTools(tools: readonly Tool[]): void {
  for (const tool of tools) {
    if (known.has(tool.id)) throw new RangeError(`there is a tool ${tool.id} already`);
    known.set(tool.id, tool);
  }
}

export function toolById(id: string): Tool | undefined {
  return known.get(id);
}

export function allTools(): readonly Tool[] {
  return [...known.values()];
}
