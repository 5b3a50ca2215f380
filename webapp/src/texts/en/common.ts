import { english } from "../texts";

/** What is said in several places. */
export const common = english("common", {
  tryAgain: "Try again",
  starting: "Starting…",
  reload: "Reload",
  close: "Close",
  keepIt: "Keep it",
  cancel: "Cancel",
  loading: "Loading",
  delete: "Delete",
  rename: "Rename",
  gallery: "Gallery",
  startAnew: "Start anew",
  draft: "Draft",
  shownOnce: "It is shown this once.",
  kept: "I have kept it",
});
