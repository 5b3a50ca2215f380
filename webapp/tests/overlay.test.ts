import { describe, expect, it } from "vitest";
import { tint } from "../src/selection/overlay";

describe("tint", () => {
  const size = { width: 12, height: 10 };
  const mask = new Uint8Array(120);
  for (let y = 2; y < 9; y++) mask.fill(1, y * 12 + 2, y * 12 + 10);
  const pixels = tint(mask, size, [10, 20, 30], 0.4);
  const at = (x: number, y: number) => [...pixels.subarray((y * 12 + x) * 4, (y * 12 + x) * 4 + 4)];

  it("is clear outside, solid on the rim and tinted inside", () => {
    expect(at(0, 0)).toEqual([0, 0, 0, 0]);
    expect(at(2, 5)).toEqual([10, 20, 30, 255]);
    expect(at(3, 5)).toEqual([10, 20, 30, 255]);
    expect(at(5, 5)).toEqual([10, 20, 30, 102]);
  });
});
