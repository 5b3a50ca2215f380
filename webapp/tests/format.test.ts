import { describe, expect, it } from "vitest";
import { duration } from "../src/ui/format";

describe("a duration", () => {
  it.each([
    [9_940, "9.9 s"],
    [59_400, "59 s"],
    [59_600, "1 min 0 s"],
    [119_600, "2 min 0 s"],
    [3_599_600, "1 h 0 min"],
  ])("of %i ms", (milliseconds, text) => {
    expect(duration(milliseconds)).toBe(text);
  });
});
