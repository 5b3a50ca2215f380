import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { type KeptSelection, keep } from "../../kept/kept";
import { Decodes } from "../../selection/decodes";
import { act, type History, redo, startHistory, undo } from "../../selection/history";
import {
  type Action,
  activeObject,
  emptySelection,
  type Selection,
} from "../../selection/selection";
import type { DecoderState } from "./useDecoder";

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

  const first = useRef(earlier);
  const decodes = useMemo(() => {
    if (decoder.state !== "ready") return null;
    const made = new Decodes(
      (prompt, previous) => decoder.decoder.decode(prompt, previous),
      decoder.meta.singleMaskIndex,
      decoder.found,
      () => setAnswered((count) => count + 1),
      setError,
    );
    first.current?.selection.objects.forEach((object, index) => {
      const answer = first.current?.answers[index];
      if (answer) made.restore(object, answer);
    });
    return made;
  }, [decoder]);

  useEffect(() => {
    const active = activeObject(selection);
    const others = selection.objects.filter((object) => object !== active);
    setError(null);
    decodes?.want([active, ...others]);
  }, [decodes, selection]);

  const keepNow = useCallback(() => {
    const answers = selection.objects.map((object) => decodes?.answer(object) ?? null);
    return keep("selection", jobId, { selection, answers });
  }, [jobId, selection, decodes]);

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
