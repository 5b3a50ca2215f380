/** Words that a browser keeps: for the tab (`sessionStorage`) or from visit to visit. */

export type Storing = "localStorage" | "sessionStorage";

/** What the browser does not keep (cookies blocked, a full disk): this page has it until a reload. */
const here = new Map<string, string | null>();

/** Read a word; null where there is none. */
export function noted(storing: Storing, key: string): string | null {
  const kept = here.get(`${storing}:${key}`);
  if (kept !== undefined) return kept;
  try {
    return globalThis[storing].getItem(key);
  } catch {
    return null;
  }
}

/** Keep a word, or with null forget it. Where storage is refused, even naming it throws. */
export function note(storing: Storing, key: string, value: string | null): void {
  here.set(`${storing}:${key}`, value);
  try {
    if (value === null) globalThis[storing].removeItem(key);
    else globalThis[storing].setItem(key, value);
    here.delete(`${storing}:${key}`);
  } catch {
    // Kept above.
  }
}
