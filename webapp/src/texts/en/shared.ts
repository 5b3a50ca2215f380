import { english } from "../texts";

/** What somebody shared. */
export const shared = english("shared", {
  shared: "Shared model",
  waiting: "the shared model",
  nothing: "Nothing is behind this link",
  aboutNothing:
    "It has ended, was withdrawn, or is not complete. Ask the person who sent it for a new one.",
  makeYourOwn: "Make your own",
  loading: "Loading the shared model",
  madeAnew: "It is being made anew. Come back in a while.",
  ends: (moment: string) => `The link that led here ends ${moment}.`,
});
