/** What of a selection is kept for a reload, and what is made of it afterwards. */

import type { EmbeddingsMeta } from "../../decoder/embeddings";
import type { KeptSelection } from "../../kept/kept";
import { Decodes } from "../../selection/decodes";
import type { Selection } from "../../selection/selection";

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
  selection: Selection,
  decodes: Decodes | null,
  by: KeptSelection["by"],
  before: KeptSelection | null,
): KeptSelection | null {
  const { objects } = selection;
  if (!decodes || !by) {
    if (selection === before?.selection) return null;
    return { selection, answers: objects.map(() => null) };
  }
  if (decodes.earlierOf(objects).some((object) => decodes.pending(object))) return null;
  const { engine, revision, singleMaskIndex } = by;
  const preferring = objects.map((object) => ({
    ...object,
    candidate: decodes.preference(object),
  }));
  return {
    selection: { ...selection, objects: preferring },
    answers: objects.map((object) => decodes.answer(object)),
    by: { engine, revision, singleMaskIndex },
  };
}
