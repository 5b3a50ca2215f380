// @vitest-environment happy-dom

import { act, StrictMode } from "react";
import { createRoot, type Root } from "react-dom/client";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { JobView } from "../src/api/types";
import { drop, kept, type Submission } from "../src/kept/kept";
import Select from "../src/pages/select/Select";
import type { Decoded, Prompt } from "../src/selection/prompt";

const VIEWPORT = { width: 400, height: 300 };
const PHOTO = { width: 40, height: 30 };
/** Pixels of the viewport a pixel of the photo, when it is wholly in sight. */
const FIT = 10;
const JOB = {
  jobId: "1",
  name: "cup",
  text: null,
  status: "AWAITING_MASK",
  image: { ...PHOTO, bytes: 9, url: "about:blank" },
  decoder: { engine: "lite", revision: "1", url: "decoder" },
  embeddings: { url: "embeddings" },
} as unknown as JobView;

/** What the decoder is asked; each is answered in its test, or at once. */
const decoder = vi.hoisted(() => ({ decode: (_: unknown): Promise<unknown> => Promise.resolve() }));
vi.mock("../src/decoder/decoder", () => ({
  Decoder: class {
    open = async () => ({
      meta: { engine: "lite", revision: "1", singleMaskIndex: null, foundText: "" },
      found: [],
    });
    decode = (prompt: unknown) => decoder.decode(prompt);
    png = async () => new Blob(["png"]);
    close = () => undefined;
  },
}));

/** The object is the left half. */
const HALF: Decoded = { masks: Float32Array.of(5, -5), width: 2, height: 1, scores: [0.9] };

let root: Root;
let page: HTMLElement;

async function open(onConfirm: (made: Submission) => Promise<void> = async () => undefined) {
  page = document.body.appendChild(document.createElement("main"));
  root = createRoot(page);
  await act(async () =>
    root.render(
      <StrictMode>
        <Select job={JOB} onConfirm={onConfirm} />
      </StrictMode>,
    ),
  );
  await settled();
}

async function close(): Promise<void> {
  await act(async () => root.unmount());
  page.remove();
}

/** What is asked has been answered. */
const settled = () => act(async () => void (await new Promise((done) => setTimeout(done))));

const one = <E extends HTMLElement>(selector: string) => page.querySelector<E>(selector) as E;
const viewport = () => one(".viewport");
const points = () => page.querySelectorAll(".point").length;
const share = () => Number(one(".mask").dataset.share);
const button = (name: string) =>
  [...page.querySelectorAll("button")].find(
    (it) => it.getAttribute("aria-label") === name || it.textContent?.trim() === name,
  ) as HTMLButtonElement;

/** What of the photo is in sight; enlarged once where all of it is. */
function view(): { x: number; y: number; scale: number } {
  const transform = one(".viewport-layer").style.transform;
  const [x, y, scale] = [...transform.matchAll(/-?[\d.]+(?:e-?\d+)?/g)].map(Number);
  return { x: x ?? Number.NaN, y: y ?? Number.NaN, scale: (scale ?? Number.NaN) / FIT };
}

type Pointer = [kind: string, x: number, y: number, init?: PointerEventInit];

/** Pointers do all this before anything is drawn. */
const pointers = (...all: Pointer[]) =>
  act(async () => {
    for (const [kind, clientX, clientY, init] of all) {
      const event = { bubbles: true, cancelable: true, pointerId: 1, clientX, clientY, ...init };
      viewport().dispatchEvent(new PointerEvent(`pointer${kind}`, event));
    }
  });

const key = (target: EventTarget, name: string, init: KeyboardEventInit = {}, kind = "keydown") =>
  act(async () => {
    const event = new KeyboardEvent(kind, { bubbles: true, cancelable: true, key: name, ...init });
    target.dispatchEvent(event);
  });

beforeEach(async () => {
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
  vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(VIEWPORT.width);
  vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(VIEWPORT.height);
  vi.stubGlobal(
    "ResizeObserver",
    class {
      constructor(private readonly seen: () => void) {}
      observe = () => this.seen();
      disconnect = () => undefined;
    },
  );
  Element.prototype.setPointerCapture = () => undefined;
  decoder.decode = async () => HALF;
  await drop("selection", JOB.jobId);
});

afterEach(async () => {
  await close();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

describe("two fingers", () => {
  const a = { pointerId: 1 };
  const b = { pointerId: 2 };

  it("zoom by as much as they open, however many moves are drawn at once", async () => {
    await open();
    await pointers(["down", 150, 150, a], ["down", 250, 150, b]);
    await pointers(["move", 135, 150, a], ["move", 265, 150, b], ["move", 115, 150, a]);
    await pointers(["move", 285, 150, b]);
    expect(view().scale).toBeCloseTo(1.7, 6);
    // What was under each finger still is.
    expect(115 - view().x).toBeCloseTo(150 * 1.7, 6);
    expect(285 - view().x).toBeCloseTo(250 * 1.7, 6);
  });

  it("select nothing, and the one that stays moves the photo", async () => {
    await open();
    await pointers(["down", 150, 150, a], ["down", 250, 150, b], ["move", 350, 150, b]);
    const before = view();
    await pointers(["up", 350, 150, b], ["move", 160, 157, a], ["up", 160, 157, a]);
    expect(view().scale).toBe(before.scale);
    expect(view().x - before.x).toBeCloseTo(10, 6);
    expect(points()).toBe(0);
  });

  it("are not disturbed by a third", async () => {
    await open();
    const c = { pointerId: 3 };
    await pointers(["down", 150, 150, a], ["down", 250, 150, b], ["down", 10, 10, c]);
    await pointers(["move", 20, 200, c], ["up", 20, 200, c]);
    await pointers(["move", 350, 150, b]);
    expect(view().scale).toBeCloseTo(2, 6);
  });
});

describe("a mouse that rests", () => {
  // By a clock that stands still in between, however slow the machine is.
  const rested = () => act(async () => void (await vi.advanceTimersByTimeAsync(90)));
  const mouse = { pointerType: "mouse" };

  afterEach(() => void vi.useRealTimers());

  it("shows the mask that a click there would make, and a click has it at once", async () => {
    await open();
    await pointers(["down", 50, 50, mouse], ["up", 50, 50, mouse]);
    await settled();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const asked = vi.fn(decoder.decode);
    const ALL: Decoded = { ...HALF, masks: Float32Array.of(5, 5) };
    decoder.decode = (prompt) => asked(prompt).then(() => ALL);
    await pointers(["move", 300, 50, mouse]);
    await rested();
    expect(share()).toBe(1);
    expect(points()).toBe(1);
    await pointers(["move", 20, 50, mouse]);
    expect(share()).toBe(0.5);
    await pointers(["move", 300, 50, mouse]);
    await rested();
    await pointers(["down", 300, 50, mouse], ["up", 300, 50, mouse]);
    expect(points()).toBe(2);
    expect(share()).toBe(1);
    expect(asked).toHaveBeenCalledOnce();
  });

  it("is no finger, and is let alone while it paints or has left", async () => {
    await open();
    await pointers(["down", 50, 50, mouse], ["up", 50, 50, mouse]);
    await settled();
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const asked = vi.fn(decoder.decode);
    decoder.decode = asked;
    await pointers(["move", 300, 50, { pointerType: "touch" }]);
    await rested();
    await pointers(["move", 310, 50, mouse], ["leave", 310, 50, { ...mouse, bubbles: false }]);
    await rested();
    await key(document.body, "b");
    await pointers(["move", 320, 50, mouse]);
    await rested();
    expect(asked).not.toHaveBeenCalled();
  });
});

describe("one pointer", () => {
  it("moves the photo by as much as it moves, however many moves are drawn at once", async () => {
    await open();
    await act(async () => button("Zoom in").click());
    await act(async () => one<HTMLInputElement>(".toolbar label:last-of-type input").click());
    const before = view();
    await pointers(["down", 100, 100]);
    await pointers(["move", 110, 100], ["move", 120, 100], ["move", 130, 100]);
    expect(view().x - before.x).toBeCloseTo(30, 6);
  });

  it("paints through every place where it was", async () => {
    await open();
    await key(document.body, "b");
    await pointers(["down", 10, 150]);
    await pointers(["move", 100, 20], ["move", 200, 280], ["move", 300, 20]);
    expect(one(".stroke polyline").getAttribute("points")?.split(" ")).toEqual([
      ...["10,150", "100,20", "200,280", "300,20"],
      "300,20",
    ]);
    await pointers(["up", 300, 20]);
    expect(share()).toBeGreaterThan(0.1);
  });

  it("paints through the places that one event stands for", async () => {
    await open();
    await key(document.body, "b");
    const places = [40, 80].map((clientX) => new PointerEvent("pointermove", { clientX }));
    const event = new PointerEvent("pointermove", { bubbles: true, pointerId: 1, clientX: 80 });
    await pointers(["down", 10, 0]);
    const move = Object.assign(event, { getCoalescedEvents: () => places });
    await act(async () => void viewport().dispatchEvent(move));
    expect(one(".stroke polyline").getAttribute("points")).toBe("10,0 40,0 80,0 80,0");
  });

  it("asks nothing of events that cannot be cancelled", async () => {
    await open();
    const touch = new Event("touchend", { bubbles: true, cancelable: false });
    const prevent = vi.spyOn(touch, "preventDefault");
    viewport().dispatchEvent(touch);
    expect(prevent).not.toHaveBeenCalled();
    const tap = new Event("touchend", { bubbles: true, cancelable: true });
    viewport().dispatchEvent(tap);
    expect(tap.defaultPrevented).toBe(true);
  });
});

describe("a trackpad", () => {
  it("pinches as strongly as elsewhere, and a wheel with Ctrl is not thrown far", async () => {
    await open();
    const wheel = (deltaY: number, ctrlKey: boolean) =>
      act(async () => {
        const keys = { bubbles: true, cancelable: true, ctrlKey, clientX: 200, clientY: 150 };
        // happy-dom's WheelEvent knows neither places nor keys.
        const event = Object.assign(new MouseEvent("wheel", keys), { deltaY, deltaMode: 0 });
        viewport().dispatchEvent(event);
      });
    for (let n = 0; n < 10; n++) await wheel(-5, true);
    expect(view().scale).toBeCloseTo(Math.exp(0.5), 4);
    await wheel(-120, true);
    expect(view().scale).toBeCloseTo(Math.exp(0.75), 4);
    await wheel(200, false);
    expect(view().scale).toBeCloseTo(Math.exp(0.75 - 0.32), 4);
  });
});

describe("keys", () => {
  const tool = () => viewport().className.match(/viewport-(\w+)/)?.[1];

  it("a held space bar moves the photo after a click on a button of the toolbar, too", async () => {
    await open();
    const zoom = button("Zoom in");
    zoom.focus();
    await act(async () => zoom.click());
    const before = view();
    await key(zoom, " ");
    await pointers(["down", 100, 100], ["move", 130, 110], ["up", 130, 110]);
    expect(view().x - before.x).toBeCloseTo(30, 6);
    expect(page.querySelector(".box-mark")).toBeNull();
    await key(zoom, " ", {}, "keyup");
    await pointers(["down", 100, 100], ["move", 160, 160]);
    expect(page.querySelector(".box-mark")).not.toBeNull();
  });

  it("the space bar presses a button that was reached by the Tab key", async () => {
    await open();
    await key(document.body, "Tab");
    const pressed = new KeyboardEvent("keydown", { bubbles: true, cancelable: true, key: " " });
    button("Zoom in").dispatchEvent(pressed);
    expect(pressed.defaultPrevented).toBe(false);
  });

  it("work after the brush's slider was moved, and not where one types", async () => {
    await open();
    await pointers(["down", 50, 50], ["up", 50, 50]);
    await key(document.body, "b");
    const slider = one(".brush-size input");
    await key(slider, "z", { ctrlKey: true });
    expect(points()).toBe(0);
    await key(slider, "e");
    expect(tool()).toBe("erase");
    await key(one(".object-name"), "a");
    expect(tool()).toBe("erase");
  });

  it("are told of by the table that they go by", async () => {
    await open();
    await key(document.body, "?", { shiftKey: true });
    const told = [...page.querySelectorAll("dialog kbd")].map((it) => it.textContent);
    expect(told).toContain("Ctrl+Shift+Z");
    expect(told).toContain("Space");
    expect(told.length).toBeGreaterThan(15);
  });
});

describe("the decoder's queue", () => {
  it("goes on with the other objects where one cannot be decoded", async () => {
    decoder.decode = async (prompt) => {
      const [click] = (prompt as Prompt).clicks;
      if (click && click.x > 20) throw new Error("The decoder is out of memory.");
      return HALF;
    };
    await open();
    await pointers(["down", 50, 50], ["up", 50, 50]);
    await act(async () => button("Add").click());
    await pointers(["down", 300, 50], ["up", 300, 50]);
    await settled();
    expect(page.textContent).toContain("out of memory");
    await act(async () => button("Select Object 1").click());
    await pointers(["down", 60, 60], ["up", 60, 60]);
    // The second fails once more; its failure is no other's.
    await act(async () => button("Select Object 2").click());
    await settled();
    expect(share()).toBe(0.5);
    decoder.decode = async () => HALF;
    await act(async () => button("Try again").click());
    await settled();
    expect(page.textContent).not.toContain("out of memory");
    expect(button("Reconstruct 2 objects").disabled).toBe(false);
  });
});

describe("what was selected", () => {
  it("is kept by who leaves at once", async () => {
    await open();
    await pointers(["down", 50, 50], ["up", 50, 50]);
    await act(async () => root.unmount());
    expect((await kept("selection", JOB.jobId))?.selection.objects[0]?.clicks).toHaveLength(1);
  });

  it("is not said to be kept where the browser keeps nothing", async () => {
    await open(); // in a browser without a database
    expect(document.body.textContent).not.toContain("keeps nothing");
    await pointers(["down", 50, 50], ["up", 50, 50]);
    await vi.waitFor(() => expect(document.body.textContent).toContain("keeps nothing"));
    expect(document.body.textContent).not.toContain("is kept in this browser");
  });

  it("is kept when the tab is hidden, which may be its end", async () => {
    await open();
    await pointers(["down", 50, 50], ["up", 50, 50]);
    vi.spyOn(document, "visibilityState", "get").mockReturnValue("hidden");
    document.dispatchEvent(new Event("visibilitychange"));
    await settled();
    expect((await kept("selection", JOB.jobId))?.selection.objects[0]?.clicks).toHaveLength(1);
  });

  it("can be undone after a reload", async () => {
    await open();
    await pointers(["down", 50, 50], ["up", 50, 50]);
    await pointers(["down", 90, 90], ["up", 90, 90]);
    await act(async () => button("Undo").click());
    await close();
    await open();
    expect(points()).toBe(1);
    await act(async () => button("Redo").click());
    expect(points()).toBe(2);
    await act(async () => button("Undo").click());
    await act(async () => button("Undo").click());
    expect(points()).toBe(0);
  });
});

describe("another reading of the same clicks", () => {
  it("is shown on the photo while it is pointed at, and no longer", async () => {
    const masks = Float32Array.of(5, -5, -5, -5, 5, 5, 5, -5);
    decoder.decode = async () => ({ masks, width: 4, height: 1, scores: [0.9, 0.5] });
    await open();
    await pointers(["down", 50, 50], ["up", 50, 50]);
    await settled();
    const before = share();
    const other = page.querySelectorAll<HTMLElement>(".candidate")[1] as HTMLElement;
    const enter = (pointerType: string) =>
      new PointerEvent("pointerover", { bubbles: true, pointerType });
    await act(async () => void other.dispatchEvent(enter("touch")));
    expect(share()).toBe(before);
    await act(
      async () => void other.dispatchEvent(new PointerEvent("pointerout", { bubbles: true })),
    );
    await act(async () => void other.dispatchEvent(enter("mouse")));
    expect(share()).toBeGreaterThan(2 * before);
    await act(
      async () => void other.dispatchEvent(new PointerEvent("pointerout", { bubbles: true })),
    );
    expect(share()).toBe(before);
    await act(async () => void other.dispatchEvent(enter("mouse")));
    await act(async () => other.click());
    expect(share()).toBeGreaterThan(2 * before);
    await act(async () => button("Undo").click());
    expect(share()).toBe(before);
  });
});
