import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { SHORTCUTS, shortcutOf } from "../src/selection/shortcuts";
import { shortcuts } from "../src/texts/en/shortcuts";

const pressed = (key: string, ...held: ("ctrlKey" | "metaKey" | "shiftKey" | "altKey")[]) => ({
  key,
  ctrlKey: held.includes("ctrlKey"),
  metaKey: held.includes("metaKey"),
  shiftKey: held.includes("shiftKey"),
  altKey: held.includes("altKey"),
});
const named = (...of: Parameters<typeof pressed>) => shortcutOf(pressed(...of), false)?.name;

describe("the keys of the selection", () => {
  it("are found with what is held, and none is another's", () => {
    expect(named("Z", "ctrlKey", "shiftKey")).toBe("redo");
    expect(named("z", "metaKey")).toBe("undo");
    expect(named("z")).toBeUndefined();
    expect(named("a", "ctrlKey")).toBeUndefined();
    expect(named("a", "altKey")).toBeUndefined();
    expect(named("+", "shiftKey")).toBe("zoomIn");
    expect(named("Enter")).toBeUndefined();
    expect(shortcutOf(pressed("Enter"), true)?.name).toBe("clickCross");
    const all = SHORTCUTS.flatMap(({ keys, ctrl }) =>
      keys.map((key) => JSON.stringify([key, ctrl])),
    );
    expect(new Set(all).size).toBe(all.length);
  });

  it("all stand in the User Guide", () => {
    const guide = readFileSync("../docs/Gen3D - User Guide - 1.2.md", "utf8");
    const keys = SHORTCUTS.map(({ name }) => shortcuts.english.keys[name].shown);
    expect(keys.filter((shown) => !guide.includes(`\`${shown}\``))).toEqual([]);
  });
});
