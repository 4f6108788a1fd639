/** A box and the values inside: drag from corner to corner (E17). */

import { measureTool, pointDrag } from './measure_tool';

export const rectangle = measureTool({
  id: 'rectangle',
  label: '矩形',
  icon: 'M4 6h16v12H4z',
  draw: pointDrag('rectangle', 2, () => 2),
});
