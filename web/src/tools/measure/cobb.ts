/** The angle between two end plates: drag along the upper one, then along the lower one (E16). */

import { measureTool, pointDrag } from './measure_tool';

export const cobb = measureTool({
  id: 'cobb',
  label: 'Cobb 角',
  icon: 'M4 8L20 4M4 17l16 3M12 6v12',
  draw: pointDrag('cobb', 4, () => 2),
});
