/** What the viewer loads when a reader first asks for three dimensions: nothing else imports these rooms at run time. */

export { drawSolids } from '../tools/space3d/draw_solids';
export { SOLID_TOOLS } from '../tools/space3d/solid_tool';
export { mapPoint } from '../volume/affine';
export { emptyVolume, fillVolume } from '../volume/loader';
export { planVolume } from '../volume/plan';
export { VolumeRefused } from '../volume/refusal';
export { reslice } from '../volume/reslice';
export { cornersOf, middleOf, resolutionOf, spacingOf } from '../volume/volume';
