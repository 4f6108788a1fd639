/** The tools of the viewer, in the order of the toolbar. */

import { pan } from './pan';
import { scroll } from './scroll';
import type { Tool } from './tool';
import { windowing } from './window';
import { zoom } from './zoom';

export const TOOLS: readonly Tool[] = [scroll, windowing, zoom, pan];
export const FIRST_TOOL = scroll;
/** What the other mouse buttons do, as radiologists know it. */
export const RIGHT_BUTTON_TOOL = windowing;
export const MIDDLE_BUTTON_TOOL = pan;
