import { describe, expect, it } from "vitest";
import {
  area,
  closeUp,
  fitWithin,
  paint,
  renderMask,
  resample,
  threshold,
} from "../src/selection/mask";

const half = { data: Float32Array.of(1, -1, 1, -1), width: 2, height: 2 };

describe("resample", () => {
  it("agrees with PyTorch's bilinear interpolation, align_corners=False", () => {
    const { data } = resample({ data: Float32Array.of(0, 1, 2, 3), width: 2, height: 2 }, 4, 4);
    expect([...data]).toEqual([
      0, 0.25, 0.75, 1, 0.5, 0.75, 1.25, 1.5, 1.5, 1.75, 2.25, 2.5, 2, 2.25, 2.75, 3,
    ]);
  });

  it("returns logits of the right size as they are", () => {
    expect(resample(half, 2, 2)).toBe(half);
  });
});

describe("threshold", () => {
  it("keeps the positive half, whatever the size", () => {
    for (const size of [2, 10, 101, 640]) {
      const mask = threshold(half, size, size);
      const row = [...mask.subarray(0, size)];
      expect(row).toEqual([...row].sort((a, b) => b - a));
      expect(Math.abs(area(mask) / (size * size) - 0.5)).toBeLessThan(0.51 / size);
    }
  });

  it("leaves nothing out that a blend of all logits has", () => {
    const at = (x: number, y: number) => Math.hypot(x - 9, y - 21) - 5 - 2 * Math.sin(3 * x + y);
    const data = Float32Array.from({ length: 900 }, (_, i) => -at(i % 30, Math.floor(i / 30)));
    const logits = { data, width: 30, height: 30 };
    for (const [width, height] of [
      [200, 137],
      [17, 23],
      [30, 30],
    ] as const) {
      const whole = Array.from(resample(logits, width, height).data, (logit) => Number(logit > 0));
      expect([...threshold(logits, width, height)]).toEqual(whole);
      expect(area(threshold(logits, width, height))).toBeGreaterThan(0);
    }
    const beside = { x: 0.6, y: 0, width: 0.4, height: 0.4 };
    expect(area(threshold(logits, 40, 40, beside))).toBe(0);
  });

  it("does not assume a square", () => {
    const mask = threshold({ data: Float32Array.of(1, -1), width: 1, height: 2 }, 3, 4);
    expect([...mask]).toEqual([1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0]);
  });
});

describe("a close-up", () => {
  /** A mask of one pixel in 50 × 50. */
  const dot = (x: number, y: number) => {
    const data = new Float32Array(2500).fill(-1);
    data[50 * y + x] = 1;
    return { data, width: 50, height: 50 };
  };

  it("has a small object large, in the photo's shape and within it", () => {
    const { x, y, width, height } = closeUp(dot(25, 25));
    expect(width).toBeCloseTo(0.084);
    expect(height).toBeCloseTo(0.084);
    expect(x + width / 2).toBeCloseTo(0.51);
    expect(y + height / 2).toBeCloseTo(0.51);
    expect(closeUp(dot(0, 49)).x).toBe(0);
    expect(closeUp(dot(0, 49)).y).toBeCloseTo(1 - 0.084);
    const seen = threshold(dot(25, 25), 60, 60, closeUp(dot(25, 25)));
    expect(area(seen) / seen.length).toBeGreaterThan(0.03);
    expect([seen[30 * 60 + 30], seen[0]]).toEqual([1, 0]);
  });

  it("has all of what fills the photo, and of what is nowhere", () => {
    const whole = { x: 0, y: 0, width: 1, height: 1 };
    const mask = (logit: number) => ({ data: Float32Array.of(logit), width: 1, height: 1 });
    expect(closeUp(mask(1))).toEqual(whole);
    expect(closeUp(mask(-1))).toEqual(whole);
  });
});

describe("paint", () => {
  const size = { width: 40, height: 30 };
  const dot = { erase: false, radius: 5, path: [{ x: 20, y: 15 }] };

  it("draws a disc of the brush's radius", () => {
    const mask = new Uint8Array(1200);
    paint(mask, size, [dot], 1);
    expect(area(mask)).toBeGreaterThan(Math.PI * 25 * 0.93);
    expect(area(mask)).toBeLessThan(Math.PI * 25 * 1.07);
    expect([mask[15 * 40 + 20], mask[15 * 40 + 26]]).toEqual([1, 0]);
  });

  it("joins the points of a stroke without gaps", () => {
    const mask = new Uint8Array(1200);
    paint(
      mask,
      size,
      [
        {
          erase: false,
          radius: 2,
          path: [
            { x: 3, y: 15 },
            { x: 37, y: 15 },
          ],
        },
      ],
      1,
    );
    expect([...mask.subarray(15 * 40 + 3, 15 * 40 + 37)].every((value) => value === 1)).toBe(true);
  });

  it("lays a later stroke over an earlier one, and stays inside the mask", () => {
    const mask = new Uint8Array(1200);
    const all = { erase: true, radius: 500, path: [{ x: -20, y: 80 }] };
    paint(mask, size, [dot, all], 1);
    expect(area(mask)).toBe(0);
  });

  it("scales strokes with the mask", () => {
    const large = renderMask({ strokes: [dot] }, null, size, size);
    const small = renderMask({ strokes: [dot] }, null, size, { width: 20, height: 15 });
    expect(area(large) / area(small)).toBeCloseTo(4, 0);
  });
});

describe("fitWithin", () => {
  it("keeps the proportions and never enlarges", () => {
    expect(fitWithin({ width: 4000, height: 3000 }, 1000)).toEqual({ width: 1000, height: 750 });
    expect(fitWithin({ width: 40, height: 30 }, 1000)).toEqual({ width: 40, height: 30 });
  });
});
