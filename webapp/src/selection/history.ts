import { type Action, reduce, type SelectedObject, type Selection } from "./selection";

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

/**
 * The same for another decoder, whose masks have another order: which of them was preferred says
 * nothing any more. `Decodes` knows the masks themselves. No step of its own, and steps that were
 * nothing but such a preference are none any more.
 */
export function forgetCandidates({ past, present, future }: History): History {
  const now = plain(present);
  const before = past.map(plain);
  const after = future.map(plain);
  return {
    past: before.filter((step, index) => !isSame(step, before[index + 1] ?? now)),
    present: now,
    future: after.filter((step, index) => !isSame(step, after[index - 1] ?? now)),
  };
}

function isSame(a: Selection, b: Selection): boolean {
  return (
    a.objects.length === b.objects.length &&
    a.objects.every((object, index) => {
      const other = b.objects[index] as SelectedObject;
      return (Object.keys(object) as (keyof SelectedObject)[]).every(
        (field) => object[field] === other[field],
      );
    })
  );
}

function plain(selection: Selection): Selection {
  if (selection.objects.every(({ candidate }) => candidate === null)) return selection;
  const objects = selection.objects.map((object) => ({ ...object, candidate: null }));
  return { ...selection, objects };
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
