import { useCallback, useEffect, useEffectEvent, useState } from "react";
import { type KeptSelection, keep } from "../../kept/kept";
import { Decodes } from "../../selection/decodes";
import {
  act,
  forgetCandidates,
  type History,
  redo,
  startHistory,
  undo,
} from "../../selection/history";
import {
  type Action,
  activeObject,
  emptySelection,
  type Selection,
} from "../../selection/selection";
import { earlierBy, whatToKeep } from "./keeping";
import type { DecoderState, Ready } from "./useDecoder";

/** A pause after which the selection is kept. */
const KEEP_AFTER_MS = 300;

export interface SelectionTools {
  readonly selection: Selection;
  readonly history: History;
  readonly decodes: Decodes | null;
  /** Counts the decoder's answers, so that what shows them is drawn anew. */
  readonly answered: number;
  readonly error: unknown;
  /** Keep the selection at once, before it is left. */
  keepNow(): Promise<void>;
  act(action: Action): void;
  undo(): void;
  redo(): void;
}

/** The selection of a job: its history, its masks, and its keeping across reloads. */
export function useSelection(
  jobId: string,
  decoder: DecoderState,
  earlier: KeptSelection | null,
): SelectionTools {
  const [history, setHistory] = useState(() =>
    startHistory(earlier?.selection ?? emptySelection()),
  );
  const [answered, setAnswered] = useState(0);
  const [error, setError] = useState<unknown>(null);
  const selection = history.present;

  const [decodes, setDecodes] = useState<Decodes | null>(null);
  const [by, setBy] = useState<KeptSelection["by"]>();

  /** Go on with a decoder: the first, or another in the place of the one before. */
  const goOn = useEffectEvent(({ decoder: asked, meta, found }: Ready) => {
    const before = decodes ?? earlierBy(earlier, meta);
    const made = new Decodes(
      (prompt, previous) => asked.decode(prompt, previous),
      meta.singleMaskIndex,
      found,
      () => setAnswered((count) => count + 1),
      setError,
      before?.handOver(selection.objects),
    );
    if (before) setHistory(forgetCandidates);
    else if (earlier) made.restore(earlier.selection.objects, earlier.answers);
    setDecodes(made);
    setBy(meta);
  });
  useEffect(() => {
    if (decoder.state === "ready") goOn(decoder);
  }, [decoder]);

  useEffect(() => {
    const active = activeObject(selection);
    const others = selection.objects.filter((object) => object !== active);
    setError(null);
    decodes?.want([active, ...others]);
  }, [decodes, selection]);

  const keepNow = useCallback(() => {
    const what = whatToKeep(selection, decodes, by, earlier);
    return what ? keep("selection", jobId, what) : Promise.resolve();
  }, [jobId, selection, decodes, by, earlier]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new answer is to be kept as well.
  useEffect(() => {
    const timer = setTimeout(() => void keepNow(), KEEP_AFTER_MS);
    return () => clearTimeout(timer);
  }, [keepNow, answered]);

  return {
    selection,
    history,
    decodes,
    answered,
    error,
    keepNow,
    act: useCallback((action) => setHistory((before) => act(before, action)), []),
    undo: useCallback(() => setHistory(undo), []),
    redo: useCallback(() => setHistory(redo), []),
  };
}
