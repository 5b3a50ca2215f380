import { english } from "../texts";

/** A shared model in a frame of another site. */
export const embed = english("embed", {
  turn: "Turn it in 3D",
  whole: "Open in Gen3D",
  nothing:
    "This model is not shared any more: its link has ended, was withdrawn, or is not complete.",
  noWebGl: "This browser shows no 3D here (WebGL 2 is missing).",
});
