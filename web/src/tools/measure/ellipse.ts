/** An ellipse and the values inside: drag the box around it from corner to corner (E17). */

import { measureTool, pointDrag } from './measure_tool';

export const ellipse = measureTool({
  id: 'ellipse',
  label: '椭圆',
  icon: 'M12 6c5 0 9 2.7 9 6s-4 6-9 6-9-2.7-9-6 4-6 9-6z',
  draw: pointDrag('ellipse', 2, () => 2),
});
