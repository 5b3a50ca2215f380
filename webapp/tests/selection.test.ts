import { describe, expect, it } from "vitest";
import {
  act,
  forgetCandidates,
  type History,
  redo,
  startHistory,
  undo,
} from "../src/selection/history";
import { type Action, activeObject, emptySelection, reduce } from "../src/selection/selection";

const click = (x: number, label: 0 | 1 = 1): Action => ({
  type: "click",
  click: { x, y: 5, label },
});

function having(...actions: Action[]): History {
  return actions.reduce(act, startHistory(emptySelection()));
}

describe("selection", () => {
  it("gives clicks to the active object alone", () => {
    const { present } = having(click(1), { type: "addObject" }, click(2, 0));
    expect(present.objects.map((object) => object.clicks.map(({ x }) => x))).toEqual([[1], [2]]);
    expect(activeObject(present).name).toBe("Object 2");
  });

  it("takes at most eight objects", () => {
    const { present } = having(
      ...Array.from({ length: 12 }, (): Action => ({ type: "addObject" })),
    );
    expect(present.objects).toHaveLength(8);
    expect(new Set(present.objects.map(({ id }) => id)).size).toBe(8);
  });

  it("turns a box upright, whichever way it was dragged", () => {
    const { present } = having({ type: "box", box: { x0: 9, y0: 1, x1: 2, y1: 7 } });
    expect(activeObject(present).box).toEqual({ x0: 2, y0: 1, x1: 9, y1: 7 });
  });

  it("drops a preferred candidate with every new prompt", () => {
    const prefer: Action = { type: "candidate", index: 2 };
    expect(activeObject(having(click(1), prefer).present).candidate).toBe(2);
    for (const next of [click(2), { type: "removeClick", index: 0 } as Action]) {
      expect(activeObject(having(click(1), prefer, next).present).candidate).toBeNull();
    }
  });

  it("begins an object anew with what was found, and names it once", () => {
    const found = (index: number): Action => ({ type: "found", index, name: "chair" });
    const { present } = having(click(1), found(2));
    expect(activeObject(present)).toMatchObject({ clicks: [], found: 2, name: "chair" });
    const renamed = having({ type: "rename", id: 1, name: "mine" }, found(0), click(4));
    expect(activeObject(renamed.present)).toMatchObject({ found: 0, name: "mine" });
    expect(activeObject(renamed.present).clicks).toHaveLength(1);
    expect(activeObject(having(found(1), { type: "clear" }).present).found).toBeNull();
  });

  it("always keeps an object", () => {
    const { present } = having(click(1), { type: "removeObject", id: 1 });
    expect(present.objects).toHaveLength(1);
    expect(activeObject(present).clicks).toEqual([]);
  });

  it("moves on to a neighbour where the active object is removed", () => {
    const { present } = having(
      { type: "addObject" },
      { type: "addObject" },
      { type: "removeObject", id: 3 },
    );
    expect(present.activeId).toBe(2);
  });

  it("leaves the selection as it is where there is nothing to do", () => {
    const selection = emptySelection();
    const idle: Action[] = [
      { type: "clear" },
      { type: "removeClick", index: 3 },
      { type: "activate", id: 99 },
      { type: "removeObject", id: 99 },
      { type: "rename", id: 1, name: "Object 1" },
      { type: "stroke", stroke: { erase: false, radius: 3, path: [] } },
    ];
    for (const action of idle) expect(reduce(selection, action)).toBe(selection);
  });

  it("survives being stored as JSON", () => {
    const { present } = having(click(1), { type: "box", box: { x0: 0, y0: 0, x1: 1, y1: 1 } });
    expect(JSON.parse(JSON.stringify(present))).toEqual(present);
  });
});

describe("history", () => {
  it("undoes and redoes each step", () => {
    const done = having(click(1), click(2), { type: "clear" });
    const back = undo(undo(done));
    expect(activeObject(back.present).clicks).toHaveLength(1);
    expect(redo(redo(back)).present).toEqual(done.present);
    expect(redo(done)).toBe(done);
  });

  it("stops at the beginning", () => {
    const start = startHistory(emptySelection());
    expect(undo(start)).toBe(start);
  });

  it("forgets the future when something new is done", () => {
    const branched = act(undo(having(click(1), click(2))), click(3));
    expect(branched.future).toEqual([]);
    expect(activeObject(branched.present).clicks.map(({ x }) => x)).toEqual([1, 3]);
  });

  it("keeps its steps for another decoder, but for those that were choices of a mask", () => {
    const choose = (index: number): Action => ({ type: "candidate", index });
    const done = having(click(1), choose(2), click(2), choose(1), choose(0));
    const other = forgetCandidates(undo(undo(done)));
    expect(other.present.objects.map(({ candidate }) => candidate)).toEqual([null]);
    const clicks = (history: History) => activeObject(history.present).clicks.map(({ x }) => x);
    expect(clicks(other)).toEqual([1, 2]);
    expect(clicks(undo(other))).toEqual([1]);
    expect(clicks(undo(undo(other)))).toEqual([]);
    expect(undo(other).present.objects[0]?.candidate).toBeNull();
    expect(other.future).toEqual([]);
    const plain = having(click(1), click(2));
    expect(forgetCandidates(undo(plain))).toEqual(undo(plain));
  });

  it("does not count a change of the active object as a step", () => {
    const done = having(click(1), { type: "addObject" }, { type: "activate", id: 1 });
    expect(undo(done).present.objects).toHaveLength(1);
  });
});
