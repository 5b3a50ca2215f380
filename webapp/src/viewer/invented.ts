import {
  type Box3,
  Color,
  DepthTexture,
  Material,
  Mesh,
  type Object3D,
  type PerspectiveCamera,
  Sphere,
  UnsignedIntType,
  type WebGLProgramParametersWithUniforms,
  type WebGLRenderer,
  WebGLRenderTarget,
} from "three";
import { type Part, partWith } from "./parts";

/** Pixels of the longer side of what the photo's camera sees. */
const SIDE = 2048;
const COLOUR = new Color(0x7c3aed);
/** Of the radius of all: how far behind the nearest a place may lie and be the nearest. */
const NEAR_ENOUGH = 0.012;

/** Lines of a GPU's program: editors know the name. */
const glsl = String.raw;

const VERTEX = glsl`
  vec4 inWorld = modelMatrix * vec4(transformed, 1.0);
  vInPhoto = (photoView * inWorld).xyz;
`;

/** Nine looks at how far the photo's camera sees beside a place: how many see it. */
const FRAGMENT = glsl`
  vec3 outward = normalize(cross(dFdx(vInPhoto), dFdy(vInPhoto)));
  float facing = smoothstep(0.0, 0.15, dot(outward, -normalize(vInPhoto)));
  vec3 place = vInPhoto + outward * photoSlack;
  vec4 clip = photoProjection * vec4(place, 1.0);
  vec2 at = clip.xy / clip.w * 0.5 + 0.5;
  float seen = 0.0;
  if (clip.w > 0.0 && all(greaterThan(at, vec2(0.0))) && all(lessThan(at, vec2(1.0)))) {
    float near = photoReach.x;
    float far = photoReach.y;
    vec2 pixel = 1.0 / vec2(textureSize(photoDepth, 0));
    for (int x = -1; x <= 1; x++) {
      for (int y = -1; y <= 1; y++) {
        float depth = texture2D(photoDepth, at + vec2(x, y) * pixel).r;
        float nearest = near * far / ((far - near) * depth - far);
        seen += step(nearest - photoSlack, place.z) / 9.0;
      }
    }
  }
  // Stripes, for those who cannot tell the colour.
  float stripe = step(0.5, fract((gl_FragCoord.x + gl_FragCoord.y) / 12.0));
  float share = (1.0 - seen * facing) * mix(0.4, 0.7, stripe);
  gl_FragColor.rgb = mix(gl_FragColor.rgb, photoNever, share);
`;

/**
 * The colour of what the photo does not show, over the mesh's own: turned away from its camera,
 * behind something else, or outside its frame. The engine can but have invented that.
 *
 * By shadow mapping, with the camera as the light: Williams, "Casting curved shadows on curved
 * surfaces", SIGGRAPH 1978.
 */
export class Invented {
  private readonly eye: PerspectiveCamera;
  private readonly target: WebGLRenderTarget;
  private readonly materials = new Set<Material>();
  private readonly uniforms;

  /**
   * @param mesh All that hides something in the photo.
   * @param photo The photo's camera, in the mesh's frame as the scene has it.
   * @param box Around the mesh.
   */
  constructor(
    private readonly renderer: WebGLRenderer,
    private readonly mesh: Object3D,
    photo: PerspectiveCamera,
    box: Box3,
  ) {
    const { center, radius } = box.getBoundingSphere(new Sphere());
    this.eye = photo.clone();
    photo.matrixWorld.decompose(this.eye.position, this.eye.quaternion, this.eye.scale);
    this.eye.updateMatrixWorld(true);
    const distance = -center.clone().applyMatrix4(this.eye.matrixWorldInverse).z;
    this.eye.near = Math.max(distance - 1.1 * radius, radius / 100);
    this.eye.far = Math.max(distance, 0) + 1.1 * radius;
    const { left, top, width: wide, height: high } = inFrame(partWith(photo, box));
    const { aspect } = photo;
    // It sets the projection, too.
    this.eye.setViewOffset(aspect, 1, left * aspect, top, wide * aspect, high);
    const width = Math.max(1, Math.round(SIDE * Math.min(1, (wide * aspect) / high)));
    const height = Math.max(1, Math.round(SIDE * Math.min(1, high / (wide * aspect))));
    this.target = new WebGLRenderTarget(width, height, {
      depthTexture: new DepthTexture(width, height, UnsignedIntType),
    });
    this.uniforms = {
      photoDepth: { value: null as DepthTexture | null },
      photoView: { value: this.eye.matrixWorldInverse },
      photoProjection: { value: this.eye.projectionMatrix },
      photoReach: { value: [this.eye.near, this.eye.far] },
      photoSlack: { value: NEAR_ENOUGH * radius },
      photoNever: { value: COLOUR },
    };
    this.see();
    mesh.traverse((part) => {
      if (part instanceof Mesh) for (const one of [part.material].flat()) this.materials.add(one);
    });
    for (const material of this.materials) {
      material.onBeforeCompile = this.colour;
      material.customProgramCacheKey = () => "invented";
      material.needsUpdate = true;
    }
  }

  /** See anew how far all is from the photo's camera: the GPU may have lost it. */
  see(): void {
    const hidden: Object3D[] = [];
    this.mesh.traverse((part) => {
      if (part.visible) return;
      part.visible = true;
      hidden.push(part);
    });
    const before = this.renderer.getRenderTarget();
    // It cannot be read while it is written.
    this.uniforms.photoDepth.value = null;
    this.renderer.setRenderTarget(this.target);
    this.renderer.clear();
    this.renderer.render(this.mesh, this.eye);
    this.renderer.setRenderTarget(before);
    this.uniforms.photoDepth.value = this.target.depthTexture;
    for (const part of hidden) part.visible = false;
  }

  dispose(): void {
    for (const material of this.materials) {
      material.onBeforeCompile = Material.prototype.onBeforeCompile;
      material.customProgramCacheKey = Material.prototype.customProgramCacheKey;
      material.needsUpdate = true;
    }
    this.target.depthTexture?.dispose();
    this.target.dispose();
  }

  private readonly colour = (shader: WebGLProgramParametersWithUniforms) => {
    Object.assign(shader.uniforms, this.uniforms);
    shader.vertexShader = after(shader.vertexShader, {
      "#include <common>": glsl`
        uniform mat4 photoView;
        varying vec3 vInPhoto;`,
      "#include <project_vertex>": VERTEX,
    });
    shader.fragmentShader = after(shader.fragmentShader, {
      "#include <common>": glsl`
        uniform highp sampler2D photoDepth;
        uniform mat4 photoProjection;
        uniform vec2 photoReach;
        uniform float photoSlack;
        uniform vec3 photoNever;
        varying vec3 vInPhoto;`,
      "#include <opaque_fragment>": FRAGMENT,
    });
  };
}

/** What of a part lies in the photo; all of the photo where nothing does. */
function inFrame({ left, top, width, height }: Part): Part {
  const [right, bottom] = [Math.min(1, left + width), Math.min(1, top + height)];
  const at = { left: Math.max(0, left), top: Math.max(0, top) };
  if (right <= at.left || bottom <= at.top) return { left: 0, top: 0, width: 1, height: 1 };
  return { ...at, width: right - at.left, height: bottom - at.top };
}

/** A program with lines put after some of its own. */
function after(program: string, lines: Record<string, string>): string {
  for (const [line, added] of Object.entries(lines)) {
    program = program.replace(line, `${line}\n${added}`);
  }
  return program;
}
