// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError } from "../src/api/error";
import type { SharedView } from "../src/api/types";
import { Embed } from "../src/embed/embed";
import { embedCode } from "../src/pages/result/share-link";

const shared: SharedView = {
  name: "Cup <b>",
  endsAt: "2026-12-08T00:00:00Z",
  files: {
    glb: { url: "https://b/mesh.glb?first", bytes: 1 },
    preview: { url: "https://b/preview.png", bytes: 1 },
  },
};
const later = { ...shared, files: { glb: { url: "https://b/mesh.glb?second", bytes: 1 } } };
const gone = new ApiError("ShareNotFound", "Nothing is behind this link.", 404);

let seen: () => void;
const shown: string[] = [];

/** Draws at once what it is asked to show. */
class Drawn {
  constructor(
    _canvas: HTMLCanvasElement,
    private readonly onDrawn: (mode: string) => void,
  ) {}
  async show(mode: string, url: string): Promise<void> {
    shown.push(url);
    this.onDrawn(mode);
  }
  resize(): void {}
  dispose(): void {}
}

const loadScene = vi.fn(async () => ({ ObjectScene: Drawn }) as never);

function frame(getShared: (shareId: string) => Promise<SharedView>): HTMLElement {
  const root = document.createElement("main");
  document.body.replaceChildren(root);
  new Embed(root, "abc", getShared, loadScene);
  return root;
}

const poster = () => document.querySelector<HTMLButtonElement>("button.poster");
const said = () => document.querySelector(".words")?.textContent;

beforeEach(() => {
  shown.length = 0;
  loadScene.mockClear();
  vi.spyOn(console, "warn").mockImplementation(() => undefined);
  vi.stubGlobal(
    "IntersectionObserver",
    class {
      constructor(tell: (entries: { isIntersecting: boolean }[]) => void) {
        seen = () => tell([{ isIntersecting: true }]);
      }
      observe(): void {}
      disconnect(): void {}
    },
  );
  vi.stubGlobal(
    "ResizeObserver",
    class {
      observe(): void {}
      disconnect(): void {}
    },
  );
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

describe("A shared model in a frame", () => {
  it("asks for nothing before it is seen, and for no 3D before it is touched", async () => {
    const getShared = vi.fn(async () => shared);
    frame(getShared);
    expect(getShared).not.toHaveBeenCalled();
    seen();
    await vi.waitFor(() => expect(poster()).not.toBeNull());
    expect(document.querySelector("img")?.src).toBe("https://b/preview.png");
    expect(document.querySelector(".name")?.textContent).toBe("Cup <b>");
    expect(loadScene).not.toHaveBeenCalled();
    poster()?.click();
    await vi.waitFor(() => expect(shown).toEqual(["https://b/mesh.glb?first"]));
    expect(poster()).toBeNull();
    expect(getShared).toHaveBeenCalledTimes(1);
  });

  it("asks anew for links that may have ended by the time it is touched", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const getShared = vi.fn(async () => (getShared.mock.calls.length > 1 ? later : shared));
    frame(getShared);
    seen();
    await vi.waitFor(() => expect(poster()).not.toBeNull());
    vi.setSystemTime(Date.now() + 3_600_000);
    poster()?.click();
    await vi.waitFor(() => expect(shown).toEqual(["https://b/mesh.glb?second"]));
  });

  it("says in one sentence that it was withdrawn, first or in between", async () => {
    frame(async () => {
      throw gone;
    });
    seen();
    await vi.waitFor(() => expect(said()).toContain("not shared any more"));
    expect(document.querySelector("a")).toBeNull();

    vi.useFakeTimers({ toFake: ["Date"] });
    const answers = [async () => shared, () => Promise.reject(gone)];
    frame(() => (answers.shift() as () => Promise<SharedView>)());
    seen();
    await vi.waitFor(() => expect(poster()).not.toBeNull());
    vi.setSystemTime(Date.now() + 3_600_000);
    poster()?.click();
    await vi.waitFor(() => expect(said()).toContain("not shared any more"));
    expect(shown).toEqual([]);
  });

  it("can be tried again after any other failure", async () => {
    const answers = [() => Promise.reject(new Error("Broken.")), async () => shared];
    frame(() => (answers.shift() as () => Promise<SharedView>)());
    seen();
    await vi.waitFor(() => expect(said()).toBe("Broken."));
    document.querySelector<HTMLButtonElement>(".says button")?.click();
    await vi.waitFor(() => expect(poster()).not.toBeNull());
  });

  it("says so while the model is made anew, and where there is no WebGL", async () => {
    frame(async () => ({ ...shared, files: {} }));
    seen();
    await vi.waitFor(() => expect(said()).toContain("made anew"));

    loadScene.mockImplementationOnce(
      async () =>
        ({
          ObjectScene: class {
            constructor() {
              throw new Error("No WebGL 2.");
            }
          },
        }) as never,
    );
    frame(async () => shared);
    seen();
    await vi.waitFor(() => expect(poster()).not.toBeNull());
    poster()?.click();
    await vi.waitFor(() => expect(said()).toContain("WebGL 2"));
  });
});

describe("The code of an embed", () => {
  it("is one frame, whatever the object's name is", () => {
    const code = embedCode("a-_b", `"><script>x</script>&`, "https://gen3d.example/jobs/1");
    const around = document.createElement("template");
    around.innerHTML = code;
    const [only, ...more] = around.content.children;
    expect(more).toEqual([]);
    expect(only?.getAttribute("src")).toBe("https://gen3d.example/embed/a-_b");
    expect(only?.getAttribute("title")).toBe(`"><script>x</script>&`);
    expect(only?.getAttribute("loading")).toBe("lazy");
    expect(only?.getAttribute("referrerpolicy")).toBe("no-referrer");
    expect(only?.getAttribute("sandbox")).not.toContain("top-navigation");
  });
});
