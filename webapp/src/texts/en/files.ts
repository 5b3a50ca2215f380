import { english } from "../texts";

/** What is said of models wherever they are. */
export const files = english("files", {
  viewer: "the viewer",
  loadingViewer: "Loading the viewer",
  packer: "what packs a ZIP",
  packing: "Packing…",
  packingZip: "Packing the ZIP",
  copy: "Copy",
  copied: "Copied",
  downloads: "Downloads",
  draftDownloads: "Downloads of the draft",
  ofDraft: (file: string) => `Draft, ${file}`,
  splat: "Splat",
  splatUse: "the gaussians, PLY",
  engineMesh: "The engine's mesh",
  engineMeshUse: "as it came, GLB",
  /** By their endings, where there are other words than the API's; of scenes, "scene" before. */
  labels: {} as { readonly [format: string]: string | undefined },
  uses: {} as { readonly [format: string]: string | undefined },
  downloadAll: "Download all",
  zip: (size: string) => `ZIP, ${size}`,
  about: (name: string) => `About ${name}`,
});
