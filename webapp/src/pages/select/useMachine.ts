import { useSyncExternalStore } from "react";
import type { SelectionMachine, State } from "../../selection/selecting";

/** A part of the selection's state; who draws it is told only when that part changes. */
export function useMachine<T>(machine: SelectionMachine, part: (state: State) => T): T {
  return useSyncExternalStore(machine.subscribe, () => part(machine.now));
}
