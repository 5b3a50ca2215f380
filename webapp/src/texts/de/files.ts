import type { MeshFile, SceneFile } from "../../api/domain";
import type { files as english } from "../en/files";
import type { Translated } from "../texts";

const uses: Record<MeshFile | `scene ${SceneFile}`, string> = {
  glb: "fürs Web, für Blender und Game-Engines",
  "draco.glb": "Draco, für Programme, die es kennen",
  zip: "ein ZIP, mit seinem Material",
  obj: "mit Farben an den Ecken",
  stl: "für den 3D-Druck",
  ply: "mit Farben an den Ecken",
  "3mf": "für den 3D-Druck in Farbe",
  usdz: "für AR auf iPhone und iPad",
  spz: "die Gauß-Splats, SPZ",
  preview: "ein Bild",
  "scene glb": "jedes Mesh, und die Kamera des Fotos",
  "scene spz": "jeder Splat, klein",
  "scene ply": "jeder Splat, PLY",
  "scene preview": "ein Bild",
};

export const files: Translated<typeof english> = {
  viewer: "die 3D-Ansicht",
  loadingViewer: "Die 3D-Ansicht lädt",
  packer: "was ein ZIP packt",
  packing: "Packt …",
  packingZip: "Das ZIP wird gepackt",
  copy: "Kopieren",
  copied: "Kopiert",
  downloads: "Zum Herunterladen",
  draftDownloads: "Der Entwurf zum Herunterladen",
  ofDraft: (file) => `Entwurf, ${file}`,
  splat: "Splat",
  splatUse: "die Gauß-Splats, PLY",
  engineMesh: "Das Mesh der Engine",
  engineMeshUse: "wie es kam, GLB",
  labels: { "draco.glb": "GLB, klein", zip: "OBJ, mit Textur", spz: "Splat, klein" },
  uses,
  downloadAll: "Alles herunterladen",
  zip: (size) => `ZIP, ${size}`,
  about: (name) => `Zu ${name}`,
};
