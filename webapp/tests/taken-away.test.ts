import { unzipSync } from "fflate";
import { afterEach, describe, expect, it, vi } from "vitest";
import { DEFAULTS } from "../src/api/chosen";
import type { JobView, ObjectView } from "../src/api/types";
import { zipped } from "../src/api/zip";
import { filesOf, filesOfJob } from "../src/pages/result/packing";
import { roomLink, roomViewer } from "../src/pages/result/room";
import { fileName } from "../src/ui/save";

const file = (name: string, bytes = 3) => ({ url: `https://b/${name}?X-Amz-Date=1&a=2`, bytes });
const cup = {
  n: 0,
  name: "Cup",
  options: DEFAULTS,
  files: { glb: file("mesh.glb"), usdz: file("mesh.usdz"), spz: file("splat.spz") },
  splat: { ...file("splat.ply"), gaussians: 1 },
} as unknown as ObjectView;
const sized = { ...cup, options: { ...DEFAULTS, mesh: { ...DEFAULTS.mesh, height: 95 } } };

describe("download all", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("takes every file of an object under the name that each has by itself", () => {
    expect(filesOf(cup).map(({ name }) => name)).toEqual([
      "Cup.glb",
      "Cup.usdz",
      "Cup.spz",
      "Cup-splat.ply",
    ]);
    const draft = { files: { glb: file("draft/mesh.glb") } };
    const drafted = { ...cup, files: undefined, splat: undefined, draft } as unknown as ObjectView;
    expect(filesOf(drafted).map(({ name }) => name)).toEqual(["Cup-draft.glb"]);
  });

  it("puts each object of a job into a folder of its own, whatever they are called", () => {
    const objects = [cup, { ...cup, n: 1, name: "cup" }, { ...cup, n: 2, name: "../a/b" }];
    const job = { name: "Desk", objects, scene: { files: { glb: file("scene.glb") } } };
    const names = filesOfJob(job as unknown as JobView).map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toContain("Cup/Cup.glb");
    expect(names).toContain("cup 2/cup.glb");
    expect(names).toContain("-a-b/-a-b.glb");
    expect(names).toContain("Desk-scene.glb");
  });

  it("is a ZIP of the files as they are, and tells how far it is", async () => {
    const bodies: Record<string, string> = { "https://b/1": "one", "https://b/2": "twotwo" };
    vi.stubGlobal("fetch", async (url: string) => new Response(bodies[url]));
    const told: number[] = [];
    const zip = await zipped(
      [
        { name: "Größe/杯.glb", url: "https://b/1", bytes: 3 },
        { name: "b.ply", url: "https://b/2", bytes: 6 },
      ],
      (done, total) => told.push(done / total),
    );
    const found = unzipSync(new Uint8Array(await zip.arrayBuffer()));
    const texts = Object.entries(found).map(([name, data]) => [
      name,
      new TextDecoder().decode(data),
    ]);
    expect(texts).toEqual([
      ["Größe/杯.glb", "one"],
      ["b.ply", "twotwo"],
    ]);
    expect(told.at(-1)).toBe(1);
  });

  it("fails as one where a file does not come", async () => {
    vi.stubGlobal("fetch", async () => new Response("", { status: 403 }));
    const wanted = [{ name: "a", url: "https://b/1", bytes: 1 }];
    await expect(zipped(wanted)).rejects.toThrow("Reload the page");
  });

  it("names files as every computer can", () => {
    expect(fileName("a/b:c?")).toBe("a-b-c-");
    expect(fileName(" .. ")).toBe("object");
    expect(fileName("杯 ü")).toBe("杯 ü");
  });
});

describe("in one's room", () => {
  const android = "Mozilla/5.0 (Linux; Android 15; Pixel 9) Chrome/150.0 Mobile Safari/537.36";
  const links = (ar: boolean) =>
    ({ relList: { supports: (token: string) => ar && token === "ar" } }) as never;

  it("is offered where there is a viewer for it", () => {
    expect(roomViewer("Mozilla/5.0 (iPhone)", links(true))).toBe("quick-look");
    expect(roomViewer(android, links(false))).toBe("scene-viewer");
    expect(roomViewer("Mozilla/5.0 (X11; Linux x86_64) Chrome/150.0", links(false))).toBeNull();
    expect(roomViewer("Mozilla/5.0 (Android 15; Mobile) Firefox/153.0", links(false))).toBeNull();
  });

  it("opens the USDZ on an iPhone, in its own size where somebody said so", () => {
    expect(roomLink("quick-look", cup, "")).toBe(cup.files?.usdz?.url);
    expect(roomLink("quick-look", sized, "")).toMatch(/mesh\.usdz\?.*#allowsContentScaling=0$/);
    const older = { ...cup, files: { glb: file("mesh.glb") } } as unknown as ObjectView;
    expect(roomLink("quick-look", older, "")).toBeNull();
  });

  it("hands the GLB to Android's viewer with its whole signature", () => {
    const link = String(roomLink("scene-viewer", { ...sized, name: "A & b" }, "https://p/jobs/1"));
    const [head, tail] = link.split("#Intent;");
    const query = new URL(String(head).replace("intent:", "https:")).searchParams;
    expect(query.get("file")).toBe(cup.files?.glb?.url);
    expect(query.get("title")).toBe("A & b");
    expect(query.get("resizable")).toBe("false");
    expect(tail).toContain("S.browser_fallback_url=https%3A%2F%2Fp%2Fjobs%2F1;");
  });

  it("is not offered for what Scene Viewer cannot fetch", () => {
    const here = { ...cup, files: { glb: { url: "http://localhost/m.glb", bytes: 1 } } };
    expect(roomLink("scene-viewer", here as unknown as ObjectView, "")).toBeNull();
  });
});
