/** The measuring tools, in the order of the toolbar. */

import type { Tool } from '../tool';
import { angle } from './angle';
import { arrow } from './arrow';
import { cobb } from './cobb';
import { ellipse } from './ellipse';
import { freehand } from './freehand';
import { length } from './length';
import { probe } from './probe';
import { rectangle } from './rectangle';
import { text } from './text';

export const MEASURE_TOOLS: readonly Tool[] = [
  length,
  angle,
  cobb,
  probe,
  rectangle,
  ellipse,
  freehand,
  arrow,
  text,
];
