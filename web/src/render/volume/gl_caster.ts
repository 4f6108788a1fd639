/** Volume rendering on the graphics card, on a canvas of its own: what is shown is copied from it. */

import type { Size, Vector } from '../../math/coordinates';
import type { VolumeData } from '../../volume/volume';
import { axesOf } from './camera';
import type { Scene } from './cpu_caster';
import { ENTRIES } from './look';
import { raysOf } from './rays';
import { FRAGMENT, VERTEX } from './shaders';
import { changedSlices, planTexture, type TexturePlan, texelsOf } from './texture';

/** Texels of two bytes: phones give a page some hundred megabytes for all that it has. */
const MOST_TEXELS = { coarse: 32e6, fine: 128e6 } as const;
const UNIFORMS = [
  ...(['voxels', 'table', 'height', 'origin', 'across', 'along', 'inwards', 'low', 'high'] as const),
  ...(['texel', 'toGradient', 'sight', 'by', 'scale', 'isMip'] as const),
] as const;
type Uniform = (typeof UNIFORMS)[number];

export class GlCaster {
  /** Qualities of the slices as they were last looked at, and texel slices that have changed since they were sent. */
  private readonly seen: Uint8Array;
  private readonly waiting = new Set<number>();

  private constructor(
    readonly canvas: HTMLCanvasElement,
    private readonly gl: WebGL2RenderingContext,
    private readonly places: Record<Uniform, WebGLUniformLocation | null>,
    private readonly plan: TexturePlan,
    private readonly volume: VolumeData,
  ) {
    this.seen = new Uint8Array(volume.size[2]);
  }

  /** `null` where there is no WebGL 2, or it refuses program or texture. */
  static make(volume: VolumeData, range: readonly [number, number]): GlCaster | null {
    const canvas = document.createElement('canvas');
    const gl = canvas.getContext('webgl2', {
      alpha: false,
      antialias: false,
      depth: false,
      preserveDrawingBuffer: true, // it is copied after the call that drew it
      powerPreference: 'high-performance',
    });
    if (!gl) return null;
    const program = programOf(gl);
    if (!program) return null;
    gl.useProgram(program);
    const places = Object.fromEntries(
      UNIFORMS.map((name) => [name, gl.getUniformLocation(program, name)]),
    ) as Record<Uniform, WebGLUniformLocation | null>;
    const isPhone = matchMedia('(pointer: coarse)').matches;
    const most = isPhone ? MOST_TEXELS.coarse : MOST_TEXELS.fine;
    const plan = planTexture(volume, range, gl.getParameter(gl.MAX_3D_TEXTURE_SIZE) as number, most);
    const caster = new GlCaster(canvas, gl, places, plan, volume);
    return caster.allocate() ? caster : null;
  }

  get isLost(): boolean {
    return this.gl.isContextLost();
  }

  /** Draws the picture on `canvas` in its size; answers the milliseconds that it took. */
  draw(scene: Scene, size: Size): number {
    const { gl, places, canvas } = this;
    const began = performance.now();
    if (canvas.width !== size.width || canvas.height !== size.height) {
      canvas.width = size.width;
      canvas.height = size.height;
    }
    gl.viewport(0, 0, size.width, size.height);
    gl.activeTexture(gl.TEXTURE1);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, ENTRIES, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, scene.table.rgba);
    this.setRays(scene, size);
    const { low, high } = scene.table;
    const perValue = (this.plan.high - this.plan.low) / (high - low);
    gl.uniform2f(places.scale, perValue, (this.plan.low - low) / (high - low));
    gl.uniform1i(places.isMip, scene.table.mode === 'mip' ? 1 : 0);
    gl.uniform1i(places.voxels, 0);
    gl.uniform1i(places.table, 1);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
    gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4)); // waits for the card: the time is real
    return performance.now() - began;
  }

  /** RGBA words of the canvas, rows from the top. */
  readPixels(): Uint32Array {
    const { gl, canvas } = this;
    const { width, height } = canvas;
    const bytes = new Uint8Array(4 * width * height);
    gl.readPixels(0, 0, width, height, gl.RGBA, gl.UNSIGNED_BYTE, bytes);
    const words = new Uint32Array(bytes.buffer);
    const upright = new Uint32Array(words.length);
    for (let y = 0; y < height; y++) {
      upright.set(words.subarray((height - 1 - y) * width, (height - y) * width), y * width);
    }
    return upright;
  }

  dispose(): void {
    this.gl.getExtension('WEBGL_lose_context')?.loseContext(); // browsers keep few contexts, and let go of them late
  }

  private allocate(): boolean {
    const { gl, plan } = this;
    for (const [unit, kind, filter] of [
      [gl.TEXTURE0, gl.TEXTURE_3D, gl.LINEAR],
      [gl.TEXTURE1, gl.TEXTURE_2D, gl.NEAREST],
    ]) {
      gl.activeTexture(unit);
      gl.bindTexture(kind, gl.createTexture());
      gl.texParameteri(kind, gl.TEXTURE_MIN_FILTER, filter);
      gl.texParameteri(kind, gl.TEXTURE_MAG_FILTER, filter);
      gl.texParameteri(kind, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
      gl.texParameteri(kind, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
      gl.texParameteri(kind, gl.TEXTURE_WRAP_R, gl.CLAMP_TO_EDGE);
    }
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    gl.activeTexture(gl.TEXTURE0);
    gl.texStorage3D(gl.TEXTURE_3D, 1, gl.RG8, plan.size[0], plan.size[1], plan.size[2]);
    return gl.getError() === gl.NO_ERROR;
  }

  /** Brings changed slices to the card for some milliseconds; answers whether all are there. */
  upload(milliseconds: number): boolean {
    const { gl, plan, volume, waiting } = this;
    for (const z of changedSlices(volume, plan, this.seen)) waiting.add(z);
    const until = performance.now() + milliseconds;
    gl.activeTexture(gl.TEXTURE0);
    for (const z of waiting) {
      if (performance.now() > until) break;
      const bytes = texelsOf(volume, plan, z);
      const [width, height] = plan.size;
      gl.texSubImage3D(gl.TEXTURE_3D, 0, 0, 0, z, width, height, 1, gl.RG, gl.UNSIGNED_BYTE, bytes);
      waiting.delete(z);
    }
    return waiting.size === 0;
  }

  private setRays({ volume, camera, look, step }: Scene, size: Size): void {
    const { gl, places, plan } = this;
    const rays = raysOf(volume, camera, look.crop, size);
    // texels, the last of which may reach beyond the block
    const whole = plan.size.map((n, axis) => n * plan.by[axis]);
    const point = (at: Vector): Vector => [0, 1, 2].map((i) => (at[i] + 0.5) / whole[i]) as unknown as Vector;
    const way = (by: Vector): Vector => [0, 1, 2].map((i) => by[i] / whole[i]) as unknown as Vector;
    gl.uniform1f(places.height, size.height);
    gl.uniform3f(places.origin, ...point(rays.origin));
    gl.uniform3f(places.across, ...way(rays.across));
    gl.uniform3f(places.along, ...way(rays.along));
    gl.uniform3f(places.inwards, ...way(rays.inwards));
    gl.uniform3f(places.low, ...point(rays.low));
    gl.uniform3f(places.high, ...point(rays.high));
    gl.uniform3f(places.texel, 1 / plan.size[0], 1 / plan.size[1], 1 / plan.size[2]);
    gl.uniform1f(places.by, step * rays.voxel_mm * Math.min(...plan.by));
    gl.uniform3f(places.sight, ...axesOf(camera).inwards);
    // a difference over two texels → per mm: the transpose of patient → voxel, by texels
    const m = volume.toVoxel;
    const rows = [0, 1, 2].flatMap((axis) =>
      [m[axis], m[4 + axis], m[8 + axis]].map((share) => share / plan.by[axis]),
    );
    gl.uniformMatrix3fv(places.toGradient, false, rows);
  }
}

function programOf(gl: WebGL2RenderingContext): WebGLProgram | null {
  const program = gl.createProgram();
  for (const [kind, source] of [
    [gl.VERTEX_SHADER, VERTEX],
    [gl.FRAGMENT_SHADER, FRAGMENT],
  ] as const) {
    const shader = gl.createShader(kind);
    if (!shader || !program) return null;
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  return gl.getProgramParameter(program, gl.LINK_STATUS) ? program : null;
}
