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
  about: (name: string) => `About ${name}`,
});
