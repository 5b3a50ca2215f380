import { english } from "../texts";
import { plural } from "./plural";

/** Choosing a photo, and what is wrong with one. */
export const photo = english("photo", {
  drop: "Drop a photo here",
  orPaste: "or paste it, or",
  add: "Add a photo",
  choose: "Choose a photo",
  take: "Take one",
  photo: "Photo",
  camera: "Camera",
  samples: "Or try one of these",
  /** What is in the photos of `examples/`, for those who do not see them. */
  sample: {
    coffee: "A cup of espresso",
    chelsea: "A cat's face",
    rocket: "A rocket at its start",
  } as { readonly [name: string]: string | undefined },
  noFile: "That was no file. Drop a photo from your device.",
  noSample: "The sample could not be loaded. Check the connection and try again.",
  tooMany: (files: number) =>
    plural(files, {
      one: "That was # file. Add one photo; each is a job of its own.",
      other: "Those were # files. Add one photo; each is a job of its own.",
    }),
  empty: "The file is empty. Choose another photo.",
  noPhoto: (name: string) =>
    `“${name}” is no photo that can be read. Choose a JPEG, HEIC, PNG, WebP or AVIF.`,
  reading: "Reading the photo",
  heic: {
    damaged: "The HEIC photo is damaged and cannot be shown. Choose another one.",
    notLoaded: "What reads HEIC photos could not be loaded. Try again, or save it as JPEG.",
    tooLarge: "The photo is too large, even as a JPEG. Save it smaller.",
    unread: "The HEIC photo could not be read in this browser. Save it as JPEG.",
  },
  tooLarge: (megabytes: string, most: string) =>
    `The photo has ${megabytes} MB; at most ${most} MB are taken. Save it smaller.`,
  tooManyPixels: (megapixels: string, most: string) =>
    `The photo has ${megapixels} megapixels; at most ${most} megapixels are taken. Save it smaller.`,
  tooSmall: (width: number, height: number, least: number) =>
    `The photo has ${width} × ${height} pixels; each side needs ${least}. Use a larger one.`,
  damaged: "The photo is damaged and cannot be shown. Choose another one.",
});
