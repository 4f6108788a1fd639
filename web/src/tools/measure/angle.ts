/** An angle: drag along the first arm to the vertex, then drag to the end of the second arm (E16). */

import { measureTool, pointDrag } from './measure_tool';

export const angle = measureTool({
  id: 'angle',
  label: '角度',
  icon: 'M19 4L4 20h17M11 12.5a10 10 0 0 1 4 7.5',
  draw: pointDrag('angle', 3, (isFirst) => (isFirst ? 2 : 1)),
});
