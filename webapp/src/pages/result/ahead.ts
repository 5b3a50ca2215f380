/** Fetches what shows models while there is none yet: by far the largest part of the page. */

/** Begin, without waiting; what does not come is asked for again when it is needed. */
export function loadAhead(): void {
  for (const part of [import("./Result"), import("../../viewer/Viewer")]) part.catch(() => {});
}
