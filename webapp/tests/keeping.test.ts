import { describe, expect, it } from "vitest";
import type { EmbeddingsMeta } from "../src/decoder/embeddings";
import type { KeptSelection } from "../src/kept/kept";
import { Decodes } from "../src/selection/decodes";
import { startHistory } from "../src/selection/history";
import { earlierBy, whatToKeep } from "../src/selection/keeping";
import type { Decoded } from "../src/selection/prompt";
import { SelectionMachine } from "../src/selection/selecting";
import { emptySelection, reduce, type Selection } from "../src/selection/selection";

const click = { x: 1, y: 1, label: 1 } as const;
const clicked: Selection = reduce(emptySelection(), { type: "click", click });
const meta = (engine: string) => ({ engine, revision: "1", singleMaskIndex: 0 }) as EmbeddingsMeta;
const answer = (...masks: number[]): Decoded => ({
  masks: Float32Array.from(masks),
  width: 1,
  height: 1,
  scores: masks.map(() => 0.5),
});
const nobody = () => Promise.reject(new Error("Nobody decodes here."));
const ignore = () => undefined;
const decodesOf = (selection: Selection, answers: (Decoded | null)[]) => {
  const decodes = new Decodes(nobody, 0, [], ignore, ignore);
  decodes.restore(selection.objects, answers);
  return decodes;
};

describe("what is kept of a selection", () => {
  it("comes back as it was, for the same decoder", () => {
    const kept = whatToKeep(
      startHistory(clicked),
      decodesOf(clicked, [answer(1, 2)]),
      meta("lite"),
      null,
    );
    expect(kept?.by).toEqual({ engine: "lite", revision: "1", singleMaskIndex: 0 });
    expect(kept?.answers[0]?.scores).toHaveLength(2);
    expect(earlierBy(kept, meta("lite"))).toBeNull();
    // An earlier version of the page did not say whose answers it kept.
    expect(earlierBy({ ...(kept as KeptSelection), by: undefined }, meta("sam"))).toBeNull();
    expect(earlierBy(null, meta("sam"))).toBeNull();
  });

  it("is an earlier decoder's, where a better one is there after the reload", () => {
    const kept = whatToKeep(
      startHistory(clicked),
      decodesOf(clicked, [answer(-1, 2)]),
      meta("lite"),
      null,
    );
    const before = earlierBy(kept, meta("sam"));
    const [mask] = before?.handOver(clicked.objects).masks.values() ?? [];
    expect(Array.from(mask?.masks ?? [])).toEqual([2]);
    expect(earlierBy(kept, { ...meta("lite"), revision: "2" })).not.toBeNull();
  });

  it("says which mask was preferred, though it was so by an earlier decoder's", async () => {
    const preferring = reduce(clicked, { type: "candidate", index: 2 });
    const earlier = decodesOf(preferring, [answer(1, -1, -1)]).handOver(preferring.objects);
    const decodes = new Decodes(
      async () => answer(1, 1, -1),
      0,
      [],
      ignore,
      (error) => expect.unreachable(String(error)),
      earlier,
    );
    decodes.want(clicked.objects);
    await new Promise((resolve) => setTimeout(resolve));
    const kept = whatToKeep(startHistory(clicked), decodes, meta("sam"), null);
    expect(kept?.selection.objects[0]?.candidate).toBe(2);
  });

  it("stays while it says more than what is there: no decoder yet, or one that is not done", () => {
    const kept = whatToKeep(
      startHistory(clicked),
      decodesOf(clicked, [answer(1, 2)]),
      meta("lite"),
      null,
    );
    const earlier = earlierBy(kept, meta("sam"))?.handOver(clicked.objects);
    const fresh = new Decodes(nobody, 0, [], ignore, ignore, earlier);
    expect(whatToKeep(startHistory(clicked), fresh, meta("sam"), kept)).toBeNull();
    const known = kept?.selection as Selection;
    expect(whatToKeep(startHistory(known), null, undefined, kept)).toBeNull();
    // What was clicked meanwhile is new.
    const more = reduce(known, { type: "click", click });
    expect(whatToKeep(startHistory(more), null, undefined, kept)?.selection).toBe(more);
    expect(
      whatToKeep(startHistory(more), fresh, meta("sam"), kept)?.selection.objects[0]?.clicks,
    ).toHaveLength(2);
  });
});

describe("a selection that another tab has kept", () => {
  const other = (): KeptSelection => ({
    selection: clicked,
    history: { past: [emptySelection()], future: [] },
    answers: [answer(1, -1)],
    by: { engine: "lite", revision: "1", singleMaskIndex: 0 },
  });
  const tab = (kept: KeptSelection[] = []) =>
    new SelectionMachine({ width: 4, height: 4 }, null, async (what) => {
      kept.push(what);
      return true;
    });
  const lite = (engine = "lite") => ({
    decoder: { decode: nobody },
    meta: meta(engine),
    found: [],
  });

  it("is gone on from, with its masks and its steps", async () => {
    const kept: KeptSelection[] = [];
    const machine = tab(kept);
    machine.goOn(lite());
    machine.follow(other());
    expect(machine.selection).toBe(clicked);
    await machine.keepNow();
    expect(kept.at(-1)?.answers[0]?.scores).toHaveLength(2);
    machine.undo();
    expect(machine.selection).toEqual(emptySelection());
    await machine.keepNow();
  });

  it("is kept as it is by a tab whose decoder is still to come", async () => {
    const kept: KeptSelection[] = [];
    const machine = tab(kept);
    machine.follow(other());
    await machine.keepNow();
    expect(kept).toEqual([]);
    machine.goOn(lite());
    await machine.keepNow();
    expect(kept.at(-1)?.answers[0]?.scores).toHaveLength(2);
  });

  it("waits where the person has just changed theirs, and until they let go", async () => {
    const machine = tab();
    machine.act({ type: "click", click: { x: 2, y: 2, label: 1 } });
    const mine = machine.selection;
    machine.follow(other());
    expect(machine.selection).toBe(mine);
    await machine.keepNow();
    machine.follow(other());
    expect(machine.selection).toBe(clicked);
  });
});
