/** Trying again, and how long to wait before. */

import { ApiError } from "./error.js";

const TIMES = 4;
const FIRST_MS = 1000;
/** Nobody watches a bar for longer than this; then a button is better. */
const LONGEST_MS = 30_000;

/** About so long: many pages that were refused together do not come back together. */
export function about(milliseconds: number): number {
  return milliseconds * (0.85 + 0.3 * Math.random());
}

/** Milliseconds before the next try; never less than the server wants. */
export function patience(failures: number, error: unknown): number {
  const wanted = error instanceof ApiError ? (error.retryAfter ?? 0) * 1000 : 0;
  // Spread above what the server wants, never below it.
  return Math.max(about(FIRST_MS * 2 ** failures), wanted * (1 + 0.15 * Math.random()));
}

/**
 * Do something that may be done twice, again while its failure is of the moment.
 *
 * @throws What the last try threw, or the first that will not pass.
 */
export async function again<T>(task: () => Promise<T>): Promise<T> {
  for (let failures = 0; ; failures++) {
    try {
      return await task();
    } catch (error) {
      const wait = patience(failures, error);
      const passes = error instanceof ApiError && error.transient && wait <= LONGEST_MS;
      if (!passes || failures + 1 >= TIMES) throw error;
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
}
