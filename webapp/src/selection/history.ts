import { type Action, reduce, type Selection } from "./selection";

/** A selection with its past and, after an undo, its future. */
export interface History {
  readonly past: readonly Selection[];
  readonly present: Selection;
  readonly future: readonly Selection[];
}

/** Steps that can be undone. */
const DEPTH = 200;

export function startHistory(present: Selection): History {
  return { past: [], present, future: [] };
}

/** Do something. Which object is active is no step of its own; everything else is. */
export function act(history: History, action: Action): History {
  const present = reduce(history.present, action);
  if (present === history.present) return history;
  if (action.type === "activate") return { ...history, present };
  return { past: [...history.past, history.present].slice(-DEPTH), present, future: [] };
}

export function undo(history: History): History {
  const present = history.past.at(-1);
  if (!present) return history;
  return {
    past: history.past.slice(0, -1),
    present,
    future: [history.present, ...history.future],
  };
}

export function redo(history: History): History {
  const [present, ...future] = history.future;
  if (!present) return history;
  return { past: [...history.past, history.present], present, future };
}
