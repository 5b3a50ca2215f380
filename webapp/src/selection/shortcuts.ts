/** The keys of the selection: what listens to them and what tells of them go by this table. */

import { MAX_OBJECTS } from "../api/domain";
import type { SelectionMachine } from "./selecting";

export interface Shortcut {
  /** As `KeyboardEvent.key` says them, in lower case. */
  readonly keys: readonly string[];
  /** How people are told of them. */
  readonly shown: string;
  readonly does: string;
  /** With Ctrl, or the Mac's Command; `shift` where that makes another one of it. */
  readonly ctrl?: { readonly shift: boolean };
  /** Only while the photo has the focus. */
  readonly onPhoto?: true;
  run(machine: SelectionMachine, event: Pick<KeyboardEvent, "key" | "shiftKey">): void;
}

const ARROWS: Record<string, readonly [number, number]> = {
  arrowleft: [-1, 0],
  arrowright: [1, 0],
  arrowup: [0, -1],
  arrowdown: [0, 1],
};

const NUMBERS = Array.from({ length: MAX_OBJECTS }, (_, n) => String(n + 1));

export const SHORTCUTS: readonly Shortcut[] = [
  { keys: ["a"], shown: "A", does: "Add what is clicked", run: (m) => m.take("add") },
  { keys: ["r"], shown: "R", does: "Remove what is clicked", run: (m) => m.take("remove") },
  { keys: ["b"], shown: "B", does: "Brush", run: (m) => m.take("brush") },
  { keys: ["e"], shown: "E", does: "Erase", run: (m) => m.take("erase") },
  { keys: ["h"], shown: "H", does: "Move the photo", run: (m) => m.take("pan") },
  {
    keys: [" "],
    shown: "Space",
    does: "Move the photo, while held",
    run: (m) => m.holdToPan(true),
  },
  { keys: ["n"], shown: "N", does: "New object", run: (m) => m.act({ type: "addObject" }) },
  {
    keys: NUMBERS,
    shown: `1 to ${MAX_OBJECTS}`,
    does: "Choose an object",
    run: (m, { key }) => {
      const object = m.selection.objects[Number(key) - 1];
      if (object) m.act({ type: "activate", id: object.id });
    },
  },
  {
    keys: ["delete"],
    shown: "Delete",
    does: "Clear the object",
    run: (m) => m.act({ type: "clear" }),
  },
  { keys: ["z"], ctrl: { shift: false }, shown: "Ctrl+Z", does: "Undo", run: (m) => m.undo() },
  { keys: ["z"], ctrl: { shift: true }, shown: "Ctrl+Shift+Z", does: "Redo", run: (m) => m.redo() },
  { keys: ["y"], ctrl: { shift: false }, shown: "Ctrl+Y", does: "Redo", run: (m) => m.redo() },
  { keys: ["+", "="], shown: "+", does: "Zoom in", run: (m) => m.zoomIn() },
  { keys: ["-"], shown: "-", does: "Zoom out", run: (m) => m.zoomOut() },
  { keys: ["0"], shown: "0", does: "Whole photo", run: (m) => m.wholePhoto() },
  { keys: ["?"], shown: "?", does: "Show these keys", run: (m) => m.showHelp(true) },
  {
    keys: Object.keys(ARROWS),
    shown: "Arrows",
    does: "Move the cross; with Shift further",
    onPhoto: true,
    run: (m, { key, shiftKey }) => {
      const [x, y] = ARROWS[key.toLowerCase()] ?? [0, 0];
      const step = shiftKey ? 40 : 10;
      m.moveCross(x * step, y * step);
    },
  },
  {
    keys: ["enter"],
    shown: "Enter",
    does: "Click what is under the cross",
    onPhoto: true,
    run: (m) => m.clickCross(),
  },
  {
    keys: ["backspace"],
    shown: "Backspace",
    does: "Take out what is under the cross",
    onPhoto: true,
    run: (m) => m.clickCross(0),
  },
  {
    keys: ["escape"],
    shown: "Escape",
    does: "Let go, and take the cross away",
    onPhoto: true,
    run: (m) => m.letGo(),
  },
];

type Pressed = Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "shiftKey" | "altKey">;

/** What a key does, if anything. */
export function shortcutOf(event: Pressed, onPhoto: boolean): Shortcut | undefined {
  if (event.altKey) return undefined;
  const key = event.key.toLowerCase();
  const ctrl = event.ctrlKey || event.metaKey;
  return SHORTCUTS.find(
    (one) =>
      one.keys.includes(key) &&
      (one.ctrl ? ctrl && one.ctrl.shift === event.shiftKey : !ctrl) &&
      (onPhoto || !one.onPhoto),
  );
}
