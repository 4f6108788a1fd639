/** The distance of two points: drag from one to the other (E16). */

import { measureTool, pointDrag } from './measure_tool';

export const length = measureTool({
  id: 'length',
  label: '长度',
  icon: 'M5 19L19 5M3 17l4 4M17 3l4 4M10 11l2 2M13 8l2 2',
  draw: pointDrag('length', 2, () => 2),
});
