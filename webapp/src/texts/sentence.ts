/** What is said of a failure. */

import { errors } from "./en/errors";
import { texts } from "./texts";

/** A sentence for the person, whatever was thrown. */
export function sentenceOf(error: unknown): string {
  if (!(error instanceof Error) || !error.message) return texts(errors).unnamed;
  return sentenceFor({ error: error.name, message: error.message });
}

interface Told {
  readonly error?: string;
  readonly message: string;
}

/** The same of a failure as the API tells it: by its name, or in its own words. */
export function sentenceFor({ error = "", message }: Told): string {
  return texts(errors).named[error] ?? message;
}
