import { english } from "../texts";

/** Signing in. */
export const auth = english("auth", {
  signIn: "Sign in",
  loading: "Loading the form",
  lookingUp: "Looking up your sign-in",
  waiting: "your sign-in",
  again: "Sign in again",
  nothingLost: "Your sign-in has expired. Nothing on this page is lost.",
  expired: "Your sign-in has expired. Sign in again.",
  signedOut: "You are signed out. Sign in to go on.",
  byAdmin: "An administrator creates accounts.",
  email: "Email",
  emailExample: "you@example.com",
  passwordHint: (letters: number) =>
    `${letters} characters or more, with a lower-case letter and a digit.`,
  /** What Amplify's form says, by what it says in English; absent where that is right. */
  form: undefined as { readonly [english: string]: string } | undefined,
});
