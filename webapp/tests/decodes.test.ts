import { describe, expect, it, vi } from "vitest";
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

  it("decodes what is foreseen after all that is wanted, once it is known to be quick", async () => {
    const { asked, decode } = slowDecoder();
    const decodes = new Decodes(decode, null, [], () => undefined, unexpected);
    decodes.foresee(object(9));
    await settled();
    expect(asked).toHaveLength(0);
    decodes.want([object(1)]);
    asked[0]?.answer(scored(0.4));
    await settled();
    decodes.want([object(1, 2), object(3)]);
    decodes.foresee(object(1, 2, 9));
    for (const n of [1, 2, 3]) {
      asked[n]?.answer(scored(0.1 * n));
      await settled();
    }
    expect(asked.map(({ prompt }) => prompt.clicks.map(({ x }) => x))).toEqual([
      ...[[1], [1, 2], [3]],
      [1, 2, 9],
    ]);
    decodes.want([object(1, 2, 9)]);
    expect(decodes.pending(object(1, 2, 9))).toBe(false);
    expect(asked).toHaveLength(4);
  });

  it("foresees nothing where an answer takes so long that a click would wait for it", async () => {
    const { asked, decode } = slowDecoder();
    const now = vi.spyOn(performance, "now").mockReturnValue(0);
    const decodes = new Decodes(decode, null, [], () => undefined, unexpected);
    decodes.want([object(1)]);
    now.mockReturnValue(500);
    asked[0]?.answer(scored(0.4));
    await settled();
    decodes.foresee(object(9));
    await settled();
    expect(asked).toHaveLength(1);
    now.mockRestore();
  });

  it("says nothing of what was only foreseen and failed, until it is wanted", async () => {
    let works = true;
    const errors: unknown[] = [];
    const decode = () => (works ? Promise.resolve(scored(0.4)) : Promise.reject(new Error("no")));
    const decodes = new Decodes(
      decode,
      null,
      [],
      () => undefined,
      (error) => errors.push(error),
    );
    decodes.want([object(1)]);
    await settled();
    works = false;
    decodes.foresee(object(9));
    await settled();
    expect(errors).toHaveLength(0);
    decodes.want([object(9)]);
    await settled();
    expect(errors).toHaveLength(1);
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

describe("Decodes that take the place of another decoder's", () => {
  /** Masks of 2×1 pixels, one for each of the texts: `#` is the object's. */
  const drawn = (scores: number[], ...masks: string[]): Decoded => ({
    masks: Float32Array.from(masks.join(""), (pixel) => (pixel === "#" ? 5 : -5)),
    width: 2,
    height: 1,
    scores,
  });
  const look = (decodes: Decodes, asked: SelectedObject) =>
    Array.from(decodes.logits(asked)?.data ?? [], (logit) => (logit > 0 ? "#" : "."));

  /** What a decoder answers to each of some objects, and what it hands over. */
  async function handedOver(objects: SelectedObject[], ...answers: Decoded[]) {
    const { asked, decode } = slowDecoder();
    const found = [drawn([1], "##")];
    const decodes = new Decodes(decode, null, found, () => undefined, unexpected);
    decodes.want(objects);
    for (const [index, answer] of answers.entries()) {
      asked[index]?.answer(answer);
      await settled();
    }
    return decodes.handOver(objects);
  }

  async function having(
    objects: SelectedObject[],
    earlier: Awaited<ReturnType<typeof handedOver>>,
    ...answers: Decoded[]
  ) {
    const { asked, decode } = slowDecoder();
    const decodes = new Decodes(decode, null, [], () => undefined, unexpected, earlier);
    decodes.want(objects);
    for (const [index, answer] of answers.entries()) {
      asked[index]?.answer(answer);
      await settled();
    }
    return { asked, decodes };
  }

  it("decode every object anew, click by click", async () => {
    const objects = [object(1, 2), { ...object(7), id: 2 }];
    const earlier = await handedOver(objects, drawn([1], "#."), drawn([1], "##"));
    const answers = [drawn([1], "##"), drawn([1], ".#"), drawn([1], "#.")];
    const { asked, decodes } = await having(objects, earlier, ...answers);
    expect(asked.map((one) => one.prompt.clicks.map(({ x }) => x))).toEqual([[1], [1, 2], [7]]);
    expect(asked.map((one) => one.previous && Array.from(one.previous.data))).toEqual([
      null,
      [5, 5],
      null,
    ]);
    expect(objects.map((one) => look(decodes, one))).toEqual([
      [".", "#"],
      ["#", "."],
    ]);
  });

  it("come to an end, however many clicks there were", async () => {
    const many = (from: number) => object(...Array.from({ length: 70 }, (_, x) => from + x));
    const objects = [many(0), { ...many(100), id: 2 }];
    const before = new Decodes(slowDecoder().decode, null, [], () => undefined, unexpected);
    before.restore(objects, [scored(1), scored(1)]);
    const earlier = before.handOver(objects);
    let asked = 0;
    const decode = async () => {
      asked += 1;
      if (asked > 140) throw new Error("It begins anew.");
      return scored(1);
    };
    const decodes = new Decodes(decode, null, [], () => undefined, unexpected, earlier);
    decodes.want(objects);
    await settled();
    expect(asked).toBe(140);
    expect(objects.some((one) => decodes.pending(one))).toBe(false);
  });

  it("take the mask that is most like what the person preferred, wherever it stands", async () => {
    const preferring = { ...object(1), candidate: 1 };
    const earlier = await handedOver([preferring], drawn([0.9, 0.2], "#.", "##"));
    const answer = drawn([0.3, 0.1, 0.9], "##", ".#", "#.");
    const { decodes } = await having([object(1)], earlier, answer);
    expect(decodes.chosen(object(1))).toBe(0);
    expect(decodes.preference(object(1))).toBe(0);
    // A choice of now goes before one of then.
    expect(decodes.chosen({ ...object(1), candidate: 1 })).toBe(1);
    // And the next click refines it.
    const { asked, decode } = slowDecoder();
    const next = new Decodes(decode, null, [], () => undefined, unexpected, earlier);
    next.want([object(1)]);
    asked[0]?.answer(answer);
    await settled();
    next.want([object(1, 2)]);
    expect(Array.from(asked[1]?.previous?.data ?? [])).toEqual([5, 5]);
  });

  it("propose the best where nothing was preferred, or no longer", async () => {
    const { asked, decode } = slowDecoder();
    const decodes = new Decodes(decode, null, [], () => undefined, unexpected);
    decodes.want([object(1)]);
    asked[0]?.answer(drawn([0.9, 0.2], "#.", "##"));
    await settled();
    decodes.want([{ ...object(1), candidate: 1 }]);
    decodes.want([object(1)]);
    const earlier = decodes.handOver([object(1)]);
    const later = await having([object(1)], earlier, drawn([0.9, 0.1], "#.", "##"));
    expect(later.decodes.chosen(object(1))).toBe(0);
    expect(later.decodes.preference(object(1))).toBeNull();
  });

  it("have the earlier masks back, and give theirs again", async () => {
    const preferring = { ...object(1), candidate: 1 };
    const earlier = await handedOver([preferring], drawn([0.9, 0.2], ".#", "##"));
    const { asked, decodes } = await having([object(1)], earlier, drawn([0.9, 0.8], "#.", ".."));
    decodes.keepEarlier(true);
    expect(decodes.keepsEarlier).toBe(true);
    expect(look(decodes, object(1))).toEqual(["#", "#"]);
    // A mask that was chosen among the new ones is none of the earlier one's.
    expect(decodes.chosen({ ...object(1), candidate: 1 })).toBe(0);
    decodes.want([object(1, 2)]);
    expect(Array.from(asked[1]?.previous?.data ?? [])).toEqual([5, 5]);
    decodes.keepEarlier(false);
    expect(look(decodes, object(1))).toEqual(["#", "."]);
  });

  it("know which objects have an earlier mask and are as they were", async () => {
    const cup = object(1);
    const saucer = { ...object(7), id: 2 };
    const spoon = { ...object(), id: 3, found: 0 };
    const earlier = await handedOver([cup, saucer, spoon], drawn([1], "#."), drawn([1], "##"));
    const { decodes } = await having([cup, saucer], earlier, drawn([1], ".#"));
    const clicked = { ...saucer, clicks: [...saucer.clicks, { x: 8, y: 0, label: 1 as const }] };
    const empty = { ...object(), id: 4 };
    expect(decodes.earlierOf([cup, clicked, spoon, empty])).toEqual([cup]);
    expect(decodes.earlierOf([cup, saucer])).toHaveLength(2);
  });
});
