import { Mesh, type Object3D, Points, Texture } from "three";

/** Give back what a part of a scene has on the GPU: geometries, materials and their pictures. */
export function freePart(part: Object3D): void {
  if (!(part instanceof Mesh || part instanceof Points)) return;
  part.geometry.dispose();
  for (const material of [part.material].flat()) {
    for (const value of Object.values(material)) if (value instanceof Texture) value.dispose();
    material.dispose();
  }
}
