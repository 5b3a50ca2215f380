/** What a mode shows, made of a file that is there, and given back. */

import type { SplatMesh } from "@sparkjsdev/spark";
import {
  Box3,
  BufferAttribute,
  BufferGeometry,
  Camera,
  Color,
  Mesh,
  MeshBasicMaterial,
  MeshStandardMaterial,
  type Object3D,
  type PerspectiveCamera,
  Points,
  PointsMaterial,
  Vector3,
} from "three";
import { freePart } from "./free";

const WIRE_COLOUR = 0x2b3138;
const SURFACE_COLOUR = 0xc9ced4;

/** A copy of the mesh as its edges over a plain, shaded surface; geometry is shared. */
export function wireframeOf(scene: Object3D): Object3D {
  const copy = scene.clone(true);
  const edges = new MeshBasicMaterial({ color: WIRE_COLOUR, wireframe: true });
  // A little behind its edges, or they would flicker in it.
  const offset = { polygonOffset: true, polygonOffsetFactor: 1, polygonOffsetUnits: 1 };
  const surface = new MeshStandardMaterial({ color: SURFACE_COLOUR, roughness: 0.9, ...offset });
  const meshes: Mesh[] = [];
  copy.traverse((part) => {
    if (part instanceof Mesh) meshes.push(part);
  });
  for (const mesh of meshes) {
    mesh.material = surface;
    mesh.add(new Mesh(mesh.geometry, edges));
  }
  return copy;
}

/** Hide objects of a scene by their order in its file. */
export function hide(scene: Object3D, hidden: ReadonlySet<number>): void {
  if (hidden.size === 0 && scene.children.every((part) => part.visible)) return;
  const objects = scene.children.filter((part) => !isCamera(part));
  for (const [n, object] of objects.entries()) object.visible = !hidden.has(n);
}

/** glTF's loader gives a node's camera as the node, or below it. */
function isCamera(part: Object3D): boolean {
  return part instanceof Camera || part.children.some((child) => child instanceof Camera);
}

/** The vertical field of view, in degrees, at which a canvas holds all that a camera sees. */
export function viewOf(camera: PerspectiveCamera, aspect: number): number {
  if (aspect >= camera.aspect) return camera.fov;
  const half = Math.tan((camera.fov * Math.PI) / 360) * (camera.aspect / aspect);
  return (Math.atan(half) * 360) / Math.PI;
}

/** A part of a picture, in shares of its width and height from its top left corner. */
export interface Part {
  left: number;
  top: number;
  width: number;
  height: number;
}

const ALL: Part = { left: 0, top: 0, width: 1, height: 1 };

/** Where in a camera's picture a box falls; all of it where the box reaches behind the camera. */
export function partWith(camera: PerspectiveCamera, { min, max }: Box3): Part {
  const seen = new Box3();
  for (let corner = 0; corner < 8; corner++) {
    const x = corner & 1 ? max.x : min.x;
    const y = corner & 2 ? max.y : min.y;
    const z = corner & 4 ? max.z : min.z;
    const place = new Vector3(x, y, z).applyMatrix4(camera.matrixWorldInverse);
    if (place.z >= 0) return ALL;
    seen.expandByPoint(place.applyMatrix4(camera.projectionMatrix));
  }
  return {
    left: (1 + seen.min.x) / 2,
    top: (1 - seen.max.y) / 2,
    width: (seen.max.x - seen.min.x) / 2,
    height: (seen.max.y - seen.min.y) / 2,
  };
}

/** Of a box in a picture's shares, how much more is shown around it. */
const AROUND = 1.25;

/**
 * What of a camera's picture a canvas shows that holds a part of it, and not more than all of it; it
 * reaches beyond where their shapes differ.
 *
 * @param part All of it where there is none.
 */
export function shownPart(camera: PerspectiveCamera, aspect: number, part?: Part): Part {
  const shape = camera.aspect / aspect;
  const whole = Math.max(1, shape);
  const { left, top, width, height } = part ?? ALL;
  const high = Math.min(AROUND * Math.max(height, width * shape), whole);
  if (!part || high === whole) {
    return {
      left: (1 - whole / shape) / 2,
      top: (1 - whole) / 2,
      width: whole / shape,
      height: whole,
    };
  }
  const wide = high / shape;
  return {
    left: left + (width - wide) / 2,
    top: top + (height - high) / 2,
    width: wide,
    height: high,
  };
}

/** Call back with the place and the colour (sRGB) of each gaussian that can be seen. */
function forEachSeen(splat: SplatMesh, callback: (centre: Vector3, colour: Color) => void): void {
  splat.forEachSplat((_, centre, _scales, _quaternion, opacity, colour) => {
    if (opacity >= 0.1) callback(centre, colour);
  });
}

/** The box around what can be seen, in the scene's frame. */
export function boundsOf(splat: SplatMesh): Box3 {
  const bounds = new Box3();
  forEachSeen(splat, (centre) => bounds.expandByPoint(centre));
  splat.updateMatrix();
  return bounds.applyMatrix4(splat.matrix);
}

/** The centres of a splat's gaussians. */
export function pointsOf(splat: SplatMesh): Points {
  const positions = new Float32Array(3 * splat.numSplats);
  const colours = new Float32Array(3 * splat.numSplats);
  const linear = new Color();
  let end = 0;
  forEachSeen(splat, (centre, colour) => {
    centre.toArray(positions, end);
    linear.copy(colour).convertSRGBToLinear().toArray(colours, end);
    end += 3;
  });
  const geometry = new BufferGeometry();
  geometry.setAttribute("position", new BufferAttribute(positions.subarray(0, end), 3));
  geometry.setAttribute("color", new BufferAttribute(colours.subarray(0, end), 3));
  const points = new Points(
    geometry,
    new PointsMaterial({ size: 1.5, sizeAttenuation: false, vertexColors: true }),
  );
  points.rotation.copy(splat.rotation);
  return points;
}

/** Known by what it does: its class is loaded where there is a splat. */
function isSplat(part: Object3D): part is SplatMesh {
  return "forEachSplat" in part;
}

/** Give back what an object and all in it have on the GPU. */
export function free(object: Object3D): void {
  object.traverse((part) => {
    if (isSplat(part)) part.dispose();
    freePart(part);
  });
}
