/** Point at a place: every other picture of the same frame of reference goes there (E19, E20). From a scout to its slice. */

import { toPatient } from '../math/plane';
import type { Tool } from './tool';

export const locate: Tool = {
  id: 'locate',
  label: '定位',
  icon: 'M12 2v6M12 16v6M2 12h6M16 12h6M12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6z',
  group: 'space',
  start(stage, from) {
    const { plane } = stage;
    if (!plane) return null;
    stage.goToPoint(toPatient(plane, stage.toImage(from)));
    return { move: (to) => stage.goToPoint(toPatient(plane, stage.toImage(to))) };
  },
};
