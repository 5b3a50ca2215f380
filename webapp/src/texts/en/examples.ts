import { english } from "../texts";

/** Finished models on the first page. */
export const examples = english("examples", {
  title: "Turn what it made",
  about:
    "Three models of the three photos above, as they came: made by the small engine, which needs no GPU. What the photo does not show it guesses, and it shows; the larger engines guess better.",
  of: {
    coffee: "Cup and saucer",
    chelsea: "A cat's face",
    rocket: "A rocket",
  } as { readonly [name: string]: string | undefined },
  canvas: (name: string) => `3D view of ${name}. Drag or press the arrow keys to turn it.`,
});
