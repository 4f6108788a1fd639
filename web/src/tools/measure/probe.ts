/** The value of one pixel, HU in CT: press, and drag to where it is wanted (E16). */

import { measureTool, pointDrag } from './measure_tool';

export const probe = measureTool({
  id: 'probe',
  label: 'CT 值',
  icon: 'M12 3v6M12 15v6M3 12h6M15 12h6',
  draw: pointDrag('probe', 1, () => 1),
});
