// Prints what three.js' loader makes of the GLB named in the arguments. Node has no pictures: their
// places are there, their pixels are not.
import { readFileSync } from "node:fs";
import { MeshoptDecoder } from "meshoptimizer/decoder";
import { Box3, Vector3 } from "three";
import { GLTFLoader } from "three/addons/loaders/GLTFLoader.js";

globalThis.self ??= globalThis;
globalThis.createImageBitmap ??= async () => ({ width: 1, height: 1, close() {} });

const rows = (attribute, count) =>
  attribute &&
  Array.from({ length: attribute.count }, (_, k) =>
    ["getX", "getY", "getZ", "getW"].slice(0, count).map((get) => attribute[get](k)),
  );

const loader = new GLTFLoader().setMeshoptDecoder(MeshoptDecoder);
const { scene } = await loader.parseAsync(new Uint8Array(readFileSync(process.argv[2])).buffer, "");
scene.updateMatrixWorld(true);
const meshes = [];
scene.traverse((mesh) => mesh.isMesh && meshes.push(mesh));
const [mesh] = meshes;
const { attributes, index } = mesh.geometry;
const points = rows(attributes.position, 3).map((place) =>
  new Vector3(...place).applyMatrix4(mesh.matrixWorld).toArray(),
);
const box = new Box3().setFromObject(scene, true);
console.log(
  JSON.stringify({
    meshes: meshes.length,
    name: mesh.name,
    textured: Boolean(mesh.material.map),
    bent: mesh.material.normalMap && mesh.material.normalScale.toArray(),
    box: [box.min.toArray(), box.max.toArray()],
    points,
    faces: Array.from(index.array),
    normals: rows(attributes.normal, 3),
    tangents: rows(attributes.tangent, 4),
    uv: rows(attributes.uv, 2),
    colors: rows(attributes.color, 3),
  }),
);
