import { describe, expect, it } from "vitest";
import { Decodes } from "../src/selection/decodes";
import type { Logits } from "../src/selection/mask";
import { candidates, type Decoded, type Prompt, proposed } from "../src/selection/prompt";
import type { SelectedObject } from "../src/selection/selection";

const object = (...xs: number[]): SelectedObject => ({
  id: 1,
  name: "Object 1",
  clicks: xs.map((x) => ({ x, y: 0, label: 1 })),
  box: null,
  found: null,
  candidate: null,
  strokes: [],
});

const prompt = (clicks: number, box = false): Prompt => ({
  clicks: object(...Array(clicks).keys()).clicks,
  box: box ? { x0: 0, y0: 0, x1: 1, y1: 1 } : null,
  found: null,
});

const scored = (...scores: number[]): Decoded => ({
  masks: Float32Array.from(scores),
  width: 1,
  height: 1,
  scores,
});

/** A decoder that answers when told to; each mask's only logit is its score. */
function slowDecoder() {
  const asked: { prompt: Prompt; previous: Logits | null; answer(value: Decoded): void }[] = [];
  const decode = (asking: Prompt, previous: Logits | null) =>
    new Promise<Decoded>((answer) => asked.push({ prompt: asking, previous, answer }));
  return { asked, decode };
}

const unexpected = (error: unknown) => expect.unreachable(String(error));

const settled = () => new Promise((resolve) => setTimeout(resolve));

describe("proposed", () => {
  it("leaves SAM's single mask out for one click, and takes it for more", () => {
    const decoded = scored(0.99, 0.3, 0.8, 0.5);
    expect(proposed(decoded, prompt(1), 0)).toBe(2);
    expect(proposed(decoded, prompt(2), 0)).toBe(0);
    expect(proposed(decoded, prompt(0, true), 0)).toBe(0);
    expect(candidates(decoded, 0)).toEqual([1, 2, 3]);
  });

  it("leaves SAM's single mask where its edge is unsure", () => {
    const unsure = { ...scored(0.99, 0.3, 0.8), masks: Float32Array.of(0.01, 1, 1) };
    expect(proposed(unsure, prompt(2), 0)).toBe(2);
    expect(proposed(scored(0.99, 0.3, 0.8), prompt(2), 0)).toBe(0);
  });

  it("takes the best score where no mask is for one purpose", () => {
    expect(proposed(scored(0.2, 0.9, 0.5), prompt(4), null)).toBe(1);
    expect(candidates(scored(0.2, 0.9, 0.5), null)).toEqual([0, 1, 2]);
  });
});

describe("Decodes", () => {
  it("decodes the newest wish next, and none in between", async () => {
    const { asked, decode } = slowDecoder();
    const decodes = new Decodes(decode, null, [], () => undefined, unexpected);
    decodes.want([object(1)]);
    decodes.want([object(1, 2)]);
    decodes.want([object(1, 2, 3)]);
    asked[0]?.answer(scored(0.1));
    await settled();
    expect(asked.map((one) => one.prompt.clicks.length)).toEqual([1, 3]);
  });

  it("refines the mask of the longest prompt before", async () => {
    const { asked, decode } = slowDecoder();
    const decodes = new Decodes(decode, null, [], () => undefined, unexpected);
    decodes.want([object(1)]);
    decodes.want([object(1, 2, 3)]);
    asked[0]?.answer(scored(0.1, 0.7));
    await settled();
    expect(asked[0]?.previous).toBeNull();
    expect(asked[1]?.previous?.data[0]).toBeCloseTo(0.7);
  });

  it("refines the mask that the person preferred", async () => {
    const { asked, decode } = slowDecoder();
    const decodes = new Decodes(decode, null, [], () => undefined, unexpected);
    decodes.want([object(1)]);
    asked[0]?.answer(scored(0.1, 0.7));
    await settled();
    const preferring = { ...object(1), candidate: 0 };
    decodes.want([preferring]);
    expect(decodes.logits(preferring)?.data[0]).toBeCloseTo(0.1);
    decodes.want([object(1, 2)]);
    expect(asked[1]?.previous?.data[0]).toBeCloseTo(0.1);
  });

  it("knows an earlier answer after an undo", async () => {
    const { asked, decode } = slowDecoder();
    const decodes = new Decodes(decode, null, [], () => undefined, unexpected);
    decodes.want([object(1)]);
    asked[0]?.answer(scored(0.4));
    await settled();
    decodes.want([object(1, 2)]);
    asked[1]?.answer(scored(0.6));
    await settled();
    decodes.want([object(1)]);
    expect(decodes.pending(object(1))).toBe(false);
    expect(decodes.logits(object(1))?.data[0]).toBeCloseTo(0.4);
    expect(asked).toHaveLength(2);
  });

  it("takes what was found as it is, and refines it by clicks", async () => {
    const { asked, decode } = slowDecoder();
    const found = [scored(0.9), scored(0.8)];
    const decodes = new Decodes(decode, 0, found, () => undefined, unexpected);
    const second = { ...object(), found: 1 };
    decodes.want([second]);
    expect(decodes.pending(second)).toBe(false);
    expect(decodes.logits(second)?.data[0]).toBeCloseTo(0.8);
    expect(asked).toHaveLength(0);
    decodes.want([{ ...object(1), found: 1 }]);
    expect(asked[0]?.previous?.data[0]).toBeCloseTo(0.8);
  });

  it("reports a failure and goes on with the next wish", async () => {
    const errors: unknown[] = [];
    let calls = 0;
    const decode = async () => {
      calls += 1;
      if (calls === 1) throw new Error("out of memory");
      return scored(0.5);
    };
    const decodes = new Decodes(
      decode,
      null,
      [],
      () => undefined,
      (error) => errors.push(error),
    );
    decodes.want([object(1)]);
    await settled();
    decodes.want([object(1)]);
    await settled();
    expect(errors).toHaveLength(1);
    expect(decodes.pending(object(1))).toBe(false);
  });
});
