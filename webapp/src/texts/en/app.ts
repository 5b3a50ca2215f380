import { english } from "../texts";

/** What stands around every page. */
export const app = english("app", {
  skip: "Skip to the content",
  start: "Gen3D, start",
  main: "Main",
  new: "New",
  lightColours: "Light colours",
  darkColours: "Dark colours",
  language: "Language",
  keys: "Keys for programs",
  signOut: "Sign out",
  signIn: "Sign in",
  whyGallery: "The gallery shows your own jobs.",
  whyJob: "Sign in with the account that this job belongs to.",
  whyKeys: "Keys let programs act as you.",
  whyWebhooks: "Webhooks tell of your own jobs.",
  forPrograms: "For programs",
  forProgramsPages: { keys: "Keys", webhooks: "Webhooks", api: "The API" },
  whySignIn: "Your photos and models are yours alone.",
  nothingHere: "Nothing here",
  noPage: "This page does not exist. Your jobs are in the gallery.",
  /** Parts of the page that are waited for, as the banner names them. */
  parts: {
    gallery: "the gallery",
    job: "the job",
    keys: "your keys",
    reference: "the description of the API",
    shared: "the shared model",
    webhooks: "your webhooks",
    signIn: "the form to sign in",
  },
  lost: "The server cannot be reached.",
  nothingLost: "Nothing you did is lost.",
  goesOn: (what: string) =>
    `Nothing you did is lost. When it is back, this goes on by itself: ${what}.`,
  tryNow: "Try now",
});
