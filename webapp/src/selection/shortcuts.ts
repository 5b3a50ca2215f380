/** The keys of the selection: what listens to them and what tells of them go by this table. */

import { MAX_OBJECTS } from "../api/domain";
import type { shortcuts } from "../texts/en/shortcuts";
import type { Translated } from "../texts/texts";
import type { SelectionMachine } from "./selecting";

export interface Shortcut {
  /** As `KeyboardEvent.key` says them, in lower case. */
  readonly keys: readonly string[];
  /** Under which people are told of it (`texts/en/shortcuts.ts`). */
  readonly name: keyof Translated<typeof shortcuts>["keys"];
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
  { keys: ["a"], name: "add", run: (m) => m.take("add") },
  { keys: ["r"], name: "remove", run: (m) => m.take("remove") },
  { keys: ["b"], name: "brush", run: (m) => m.take("brush") },
  { keys: ["e"], name: "erase", run: (m) => m.take("erase") },
  { keys: ["h"], name: "pan", run: (m) => m.take("pan") },
  {
    keys: [" "],
    name: "hold",
    run: (m) => m.holdToPan(true),
  },
  { keys: ["n"], name: "addObject", run: (m) => m.act({ type: "addObject" }) },
  {
    keys: NUMBERS,
    name: "choose",
    run: (m, { key }) => {
      const object = m.selection.objects[Number(key) - 1];
      if (object) m.act({ type: "activate", id: object.id });
    },
  },
  {
    keys: ["delete"],
    name: "clear",
    run: (m) => m.act({ type: "clear" }),
  },
  { keys: ["z"], ctrl: { shift: false }, name: "undo", run: (m) => m.undo() },
  { keys: ["z"], ctrl: { shift: true }, name: "redo", run: (m) => m.redo() },
  { keys: ["y"], ctrl: { shift: false }, name: "redoToo", run: (m) => m.redo() },
  { keys: ["+", "="], name: "zoomIn", run: (m) => m.zoomIn() },
  { keys: ["-"], name: "zoomOut", run: (m) => m.zoomOut() },
  { keys: ["0"], name: "wholePhoto", run: (m) => m.wholePhoto() },
  { keys: ["?"], name: "help", run: (m) => m.showHelp(true) },
  {
    keys: Object.keys(ARROWS),
    name: "cross",
    onPhoto: true,
    run: (m, { key, shiftKey }) => {
      const [x, y] = ARROWS[key.toLowerCase()] ?? [0, 0];
      const step = shiftKey ? 40 : 10;
      m.moveCross(x * step, y * step);
    },
  },
  {
    keys: ["enter"],
    name: "clickCross",
    onPhoto: true,
    run: (m) => m.clickCross(),
  },
  {
    keys: ["backspace"],
    name: "takeOut",
    onPhoto: true,
    run: (m) => m.clickCross(0),
  },
  {
    keys: ["escape"],
    name: "letGo",
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
