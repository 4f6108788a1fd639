/** The ray caster for the graphics card (WebGL 2, GLSL ES 3.00). It walks as cpu_caster.ts does. */

export const VERTEX = `#version 300 es
void main() {
  // one triangle over the whole picture
  vec2 corner = vec2(gl_VertexID == 1 ? 3.0 : -1.0, gl_VertexID == 2 ? 3.0 : -1.0);
  gl_Position = vec4(corner, 0.0, 1.0);
}`;

export const FRAGMENT = `#version 300 es
precision highp float;
precision highp int;
precision highp sampler3D;

uniform sampler3D voxels;  // value · 65535 = 256 · red + green, both 0…255
uniform sampler2D table;   // red, green, blue, square root of the opacity of 1 mm
uniform float height;
uniform vec3 origin;       // of pixel (0, 0), in texture coordinates, as the next ones
uniform vec3 across;
uniform vec3 along;
uniform vec3 inwards;      // per mm
uniform vec3 low;
uniform vec3 high;
uniform vec3 texel;
uniform mat3 toGradient;   // gradient by texels → by mm in the patient
uniform vec3 sight;        // the ray, in the patient
uniform float by;          // mm per step
uniform vec2 scale;        // value → place in the table: scale.x · value + scale.y
uniform bool isMip;
out vec4 colour;

const int MOST_STEPS = 4096;

float valueAt(vec3 at) {
  vec2 bytes = texture(voxels, at).rg;
  return (bytes.r * 256.0 + bytes.g) * 255.0 / 65535.0;
}

vec4 entryOf(float value) {
  float at = clamp(scale.x * value + scale.y, 0.0, 1.0);
  return texelFetch(table, ivec2(int(at * 1023.0 + 0.5), 0), 0);
}

float lightAt(vec3 at) {
  vec3 dx = vec3(texel.x, 0.0, 0.0);
  vec3 dy = vec3(0.0, texel.y, 0.0);
  vec3 dz = vec3(0.0, 0.0, texel.z);
  vec3 gradient = toGradient * vec3(
    valueAt(at + dx) - valueAt(at - dx),
    valueAt(at + dy) - valueAt(at - dy),
    valueAt(at + dz) - valueAt(at - dz));
  float size = length(gradient);
  return size == 0.0 ? 0.725 : 0.35 + 0.75 * abs(dot(gradient, sight)) / size;
}

void main() {
  vec2 pixel = vec2(gl_FragCoord.x - 0.5, height - gl_FragCoord.y - 0.5);
  vec3 start = origin + pixel.x * across + pixel.y * along;
  vec3 way = vec3(
    abs(inwards.x) < 1e-9 ? 1e-9 : inwards.x,
    abs(inwards.y) < 1e-9 ? 1e-9 : inwards.y,
    abs(inwards.z) < 1e-9 ? 1e-9 : inwards.z);
  vec3 a = (low - start) / way;
  vec3 b = (high - start) / way;
  vec3 first = min(a, b);
  vec3 last = max(a, b);
  float near = max(max(first.x, first.y), first.z);
  float far = min(min(last.x, last.y), last.z);
  colour = vec4(0.0, 0.0, 0.0, 1.0);
  if (near >= far) return;
  float t = near + by * 0.5;
  float most = -1.0;
  float through = 1.0;
  for (int i = 0; i < MOST_STEPS; i++) {
    if (t >= far || through < 0.03) break;
    vec3 at = start + t * inwards;
    float value = valueAt(at);
    if (isMip) {
      most = max(most, value);
    } else {
      vec4 entry = entryOf(value);
      if (entry.a > 0.0) {
        float opacity = 1.0 - pow(1.0 - min(entry.a * entry.a, 0.9999), by);
        colour.rgb += entry.rgb * (through * opacity * lightAt(at));
        through *= 1.0 - opacity;
      }
    }
    t += by;
  }
  if (isMip && most >= 0.0) colour.rgb = entryOf(most).rgb;
}`;
