/** What of a selection is kept for a reload, and what is made of it afterwards. */

import type { EmbeddingsMeta } from "../decoder/embeddings";
import type { KeptSelection } from "../kept/kept";
import { Decodes } from "./decodes";
import type { History } from "./history";

/** A pause after which something is kept. */
const AFTER_MS = 300;
/** Steps that can still be undone after a reload, and done again. */
const STEPS = 50;

/** The kept answers, where they are of another decoder than the one that is there now. */
export function earlierBy(kept: KeptSelection | null, now: EmbeddingsMeta): Decodes | null {
  const by = kept?.by;
  if (!kept || !by || (by.engine === now.engine && by.revision === now.revision)) return null;
  const nobody = () => Promise.reject(new Error("This decoder is not there any more."));
  const ignore = () => undefined;
  const decodes = new Decodes(nobody, by.singleMaskIndex, [], ignore, ignore);
  decodes.restore(kept.selection.objects, kept.answers);
  return decodes;
}

/**
 * A selection with its masks, or null while what was kept before says more: until there is a
 * decoder, and until it has decoded anew what an earlier one had.
 */
export function whatToKeep(
  history: History,
  decodes: Decodes | null,
  by: KeptSelection["by"],
  before: KeptSelection | null,
): KeptSelection | null {
  const { past, present: selection, future } = history;
  const { objects } = selection;
  const steps = { past: past.slice(-STEPS), future: future.slice(0, STEPS) };
  if (!decodes || !by) {
    if (selection === before?.selection) return null;
    return { selection, history: steps, answers: objects.map(() => null) };
  }
  if (decodes.earlierOf(objects).some((object) => decodes.pending(object))) return null;
  const { engine, revision, singleMaskIndex } = by;
  const preferring = objects.map((object) => ({
    ...object,
    candidate: decodes.preference(object),
  }));
  return {
    selection: { ...selection, objects: preferring },
    history: steps,
    answers: objects.map((object) => decodes.answer(object)),
    by: { engine, revision, singleMaskIndex },
  };
}

/** Keeps what changes: after a pause, or at once when it is asked to. */
export class Keeper {
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly keep: () => Promise<void>) {}

  /** Something has changed. */
  soon(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.now(), AFTER_MS);
  }

  now(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    return this.keep();
  }

  /** Keep at once what waits to be kept. */
  flush(): void {
    if (this.timer !== undefined) void this.now();
  }
}
