import { english } from "../texts";
import { plural } from "./plural";

/** What a job has made. */
export const result = english("result", {
  noObjects: "This job has no objects. Start a new one.",
  object: "Object",
  objectNumber: (n: number) => `Object ${n}`,
  together: "All together",
  showPhoto: "Show the photo",
  notMade: (object: string) => `“${object}” was not made.`,
  quoted: (object: string) => `“${object}”`,
  making: (objects: string) => `Making ${objects}. What exists stays in sight meanwhile.`,
  makingDrafted: (objects: string) =>
    `Making ${objects}. A draft stays in sight meanwhile. You can leave this page: a mail comes when it is finished.`,
  failed: (objects: string) => `${objects} could not be made.`,
  photo: "The photo",
  highlighted: (object: string) => `The photo with ${object} highlighted`,
  room: "See it in your room",
  again: "Make again",
  askAgain: (object: string) => `Make “${object}” again?`,
  drawsAnew: "The model draws anew, with another seed, what it cannot see.",
  truestKept:
    "The truest to the photo is kept, of the new ones and, where nothing but the seed is new, of this one; you can choose another.",
  takesPlace: "The new one takes this one's place: download this one first if you want to keep it.",
  takesPlaces:
    "The new one takes the place of what all seeds made: download this one first if you want to keep it.",
  itsSeed: (seed: string) =>
    `Its seed was ${seed}. With that again and another mesh, only the mesh is made anew.`,
  noSeeds:
    "Several at once are not tried: with this engine they would come out alike, or nothing would tell which is truest to the photo.",
  eachSeed: "Each seed takes as long, and costs as much, as an object.",
  keepThis: "Keep this one",
  leaveIt: "Leave it",
  seeds: (object: string) => `Seeds of ${object}`,
  bySeed: (object: string, seed: string) => `${object} by seed ${seed}`,
  seed: (seed: string) => `Seed ${seed}`,
  kept: "Kept",
  keep: "Keep",
  keepSeed: (seed: string) => `Keep seed ${seed} in its place`,
  onItsWay: "On its way",
  seedNotMade: "Not made",
  incomparable: "Not comparable with the photo",
  asInPhoto: (share: string) => `${share} as in the photo`,
  setIntoPhoto: "Set it into the photo",
  scene: "All objects together",
  aboutScene: "About all objects together",
  sceneFailed: (why: string) => `The objects could not be set beside each other. ${why}`,
  heightOf: (object: string) => `Height of ${object}`,
  sceneDownloads: "Downloads of all objects together",
  seen: "Each object stands where the engine saw it.",
  guessed: "The engine saw no distances: placed by the masks, side by side.",
  guessedOf: (objects: number) =>
    plural(objects, {
      one: "Of # of them the engine saw no distances: placed by the masks, side by side.",
      other: "Of # of them the engine saw no distances: placed by the masks, side by side.",
    }),
  metre: "The unit is the metre.",
  noSize: "How large they are nobody said: make one again with its height, and all is in metres.",
  ofTallest: (share: string) => `${share} % of the tallest`,
});
