import { english } from "../texts";

/** The numbers of an object. */
export const figures = english("figures", {
  figures: "Figures",
  gaussians: "Gaussians",
  engineFaces: "Faces of the engine's mesh",
  vertices: "Vertices",
  faces: "Faces",
  draftFaces: "Faces of the draft",
  closed: "Closed surface",
  yes: "yes",
  no: "no",
  engineCoverage: "Coverage of the engine's mesh",
  splatCoverage: "Coverage of the splat",
  depth: "Depth map",
  unread: "not read by this engine",
  height: "Height",
  outline: "Outline as in the photo",
  colours: "Colours as in the photo",
  toSplat: "From photo to splat",
  toEngineMesh: "From photo to the engine's mesh",
  fromEngineMesh: "From the engine's mesh to this one",
  fromSplat: "From splat to mesh",
  last: "Last reconstruction",
  whole: "Whole reconstruction",
  engine: "Engine",
});
