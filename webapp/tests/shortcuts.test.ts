import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { SHORTCUTS, shortcutOf } from "../src/selection/shortcuts";

const pressed = (key: string, ...held: ("ctrlKey" | "metaKey" | "shiftKey" | "altKey")[]) => ({
  key,
  ctrlKey: held.includes("ctrlKey"),
  metaKey: held.includes("metaKey"),
  shiftKey: held.includes("shiftKey"),
  altKey: held.includes("altKey"),
});
const does = (...of: Parameters<typeof pressed>) => shortcutOf(pressed(...of), false)?.does;

describe("the keys of the selection", () => {
  it("are found with what is held, and none is another's", () => {
    expect(does("Z", "ctrlKey", "shiftKey")).toBe("Redo");
    expect(does("z", "metaKey")).toBe("Undo");
    expect(does("z")).toBeUndefined();
    expect(does("a", "ctrlKey")).toBeUndefined();
    expect(does("a", "altKey")).toBeUndefined();
    expect(does("+", "shiftKey")).toBe("Zoom in");
    expect(does("Enter")).toBeUndefined();
    expect(shortcutOf(pressed("Enter"), true)?.does).toBe("Click what is under the cross");
    const all = SHORTCUTS.flatMap(({ keys, ctrl }) =>
      keys.map((key) => JSON.stringify([key, ctrl])),
    );
    expect(new Set(all).size).toBe(all.length);
  });

  it("all stand in the User Guide", () => {
    const guide = readFileSync("../docs/Gen3D - User Guide - 1.2.md", "utf8");
    const missing = SHORTCUTS.filter(({ shown }) => !guide.includes(`\`${shown}\``));
    expect(missing.map(({ shown }) => shown)).toEqual([]);
  });
});
