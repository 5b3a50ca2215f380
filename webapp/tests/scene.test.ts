import type { SplatMesh } from "@sparkjsdev/spark";
import {
  BoxGeometry,
  type Camera,
  Color,
  type EventDispatcher,
  type Mesh,
  MeshStandardMaterial,
  Points,
  Quaternion,
  type Scene,
  Texture,
  Vector3,
  type WebGLRenderTarget,
} from "three";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { type Mode, ObjectScene } from "../src/viewer/scene";

type Renderer = { scene: Scene | null; camera: Camera | null; tick: (() => void) | null };

/** What the scene has made of what node has not: WebGL, workers, files. */
const made = vi.hoisted(() => ({
  renderers: [] as Renderer[],
  environments: [] as WebGLRenderTarget[],
  sparks: [] as { sorting: boolean; sortDirty: boolean; disposed: number; sorted(): void }[],
  splats: [] as (SplatMesh & { disposed: number })[],
  loads: [] as { url: string; came: (file: unknown) => void; failed: (why: Error) => void }[],
  filmed: [] as unknown[],
  told: [] as ((loaded: number, total: number) => void)[],
  load(url: string, tell: (loaded: number, total: number) => void) {
    made.told.push(tell);
    return new Promise((came, failed) => made.loads.push({ url, came, failed }));
  },
}));

vi.mock("three", async (importOriginal) => {
  const three = await importOriginal<typeof import("three")>();
  class WebGLRenderer {
    scene: Scene | null = null;
    camera: Camera | null = null;
    tick: (() => void) | null = null;
    constructor() {
      made.renderers.push(this);
    }
    setPixelRatio() {}
    setSize() {}
    setAnimationLoop(tick: (() => void) | null) {
      this.tick = tick;
    }
    render(scene: Scene, camera: Camera) {
      this.scene = scene;
      this.camera = camera;
    }
    dispose() {}
  }
  class PMREMGenerator {
    fromScene() {
      const target = new three.WebGLRenderTarget();
      made.environments.push(target);
      return target;
    }
    dispose() {}
  }
  return { ...three, WebGLRenderer, PMREMGenerator };
});

vi.mock("../src/viewer/film", () => ({
  record: async (_: unknown, __: number, draw: (share: number) => void) => {
    for (const share of [0, 0.25, 1]) {
      draw(share);
      made.renderers.at(-1)?.tick?.();
      made.filmed.push(seenFrom(), made.renderers.at(-1)?.scene?.background);
    }
    return { film: new Blob(["film"]), ending: "webm" };
  },
}));

/** The direction of the camera from the middle. */
function seenFrom(): number[] {
  const from = made.renderers.at(-1)?.camera?.position.clone().normalize();
  return (from?.toArray() ?? []).map((value) => Math.round(100 * value) / 100 + 0);
}

vi.mock("../src/api/download", () => ({ download: made.load }));

vi.mock("three/addons/loaders/GLTFLoader.js", () => ({
  GLTFLoader: class {
    parseAsync = async (file: unknown) => file;
  },
}));

vi.mock("@sparkjsdev/spark", async () => {
  const { Mesh, Object3D } = await import("three");
  class SparkRenderer extends Mesh {
    sorting = false;
    sortDirty = true;
    dirty = true;
    disposed = 0;
    onDirty: () => void;
    constructor({ onDirty }: { onDirty: () => void }) {
      super();
      this.onDirty = onDirty;
      made.sparks.push(this);
    }
    /** As Spark ends a sort. */
    sorted() {
      this.sorting = false;
      if (!this.dirty) this.onDirty();
      this.dirty = true;
    }
    override dispose() {
      this.disposed++;
    }
  }
  class SplatMesh extends Object3D {
    numSplats = 3;
    disposed = 0;
    initialized = Promise.resolve();
    forEachSplat = vi.fn((callback: (...gaussian: unknown[]) => void) => {
      const [scales, turn] = [new Vector3(1, 1, 1), new Quaternion()];
      callback(0, new Vector3(1, 2, 3), scales, turn, 0.9, new Color(1, 0.5, 0));
      callback(1, new Vector3(90, 0, 0), scales, turn, 0.05, new Color(1, 1, 1));
      callback(2, new Vector3(4, 5, 6), scales, turn, 0.2, new Color(0, 0, 1));
    });
    constructor() {
      super();
      made.splats.push(this as never);
    }
    override dispose() {
      this.disposed++;
    }
  }
  return { SparkRenderer, SplatFileType: {}, SplatMesh };
});

const MESH = "https://b/mesh.glb";
const SPLAT = "https://b/splat.ply";

async function glb() {
  const { Group, Mesh } = await import("three");
  const mesh = new Mesh(new BoxGeometry(), new MeshStandardMaterial({ map: new Texture() }));
  return { scene: new Group().add(mesh), mesh };
}

/** Which of them have been disposed of. */
function watch(...held: (EventDispatcher<{ dispose: object }> | null | undefined)[]) {
  const freed = held.map(() => false);
  held.forEach((one, index) => {
    one?.addEventListener("dispose", () => {
      freed[index] = true;
    });
  });
  return () => freed;
}

function setUp() {
  const canvas = Object.assign(new EventTarget(), {
    style: {},
    ownerDocument: new EventTarget(),
    getRootNode: () => canvas,
  });
  const drawn: Mode[] = [];
  const scene = new ObjectScene(canvas as unknown as HTMLCanvasElement, {
    onDrawn: (mode) => drawn.push(mode),
  });
  const renderer = made.renderers.at(-1) as Renderer;
  const show = (mode: Mode, onProgress: (share: number) => void = () => undefined) =>
    scene.show(mode, mode === "mesh" || mode === "wireframe" ? MESH : SPLAT, onProgress);
  /** What is to be seen after a frame. */
  const seen = () => {
    renderer.tick?.();
    return renderer.scene?.children.filter(
      (part) =>
        part.visible && part.type !== "DirectionalLight" && !made.sparks.includes(part as never),
    );
  };
  return { canvas, scene, show, seen, drawn, renderer };
}

beforeEach(() => {
  vi.stubGlobal("devicePixelRatio", 1);
  for (const list of Object.values(made)) if (Array.isArray(list)) list.length = 0;
});

describe("the viewer's scene", () => {
  it("loads a file once, and shows what was asked for last", async () => {
    const { show, seen, drawn } = setUp();
    const both = [show("mesh"), show("wireframe")];
    const { scene, mesh } = await glb();
    expect(made.loads).toHaveLength(1);
    made.loads[0]?.came({ scene });
    await Promise.all(both);
    const [wires, ...more] = seen() ?? [];
    expect(more).toEqual([]);
    // Edges over a surface that has light and shade.
    const surface = wires?.children[0] as Mesh;
    expect(surface.material).toMatchObject({ wireframe: false, isMeshStandardMaterial: true });
    expect(surface.children).toMatchObject([
      { geometry: mesh.geometry, material: { wireframe: true } },
    ]);
    expect(drawn).toEqual(["wireframe"]);
    await show("mesh");
    expect(seen()).toEqual([scene]);
    expect((scene.children[0] as Mesh).material).toBe(mesh.material);
    expect(made.loads).toHaveLength(1);
  });

  it("does not go back to what was asked for before", async () => {
    const { show, seen } = setUp();
    const splat = show("splat");
    const mesh = show("mesh");
    const { scene } = await glb();
    made.loads[1]?.came({ scene });
    await mesh;
    made.loads[0]?.came(null);
    await splat;
    expect(seen()).toEqual([scene]);
  });

  it("tells who asked last how much has come of the file", () => {
    const { show } = setUp();
    const [first, splat, wires] = [vi.fn(), vi.fn(), vi.fn()];
    show("mesh", first);
    show("splat", splat);
    show("wireframe", wires);
    made.told[0]?.(1, 4);
    expect([first, splat, wires].map((told) => told.mock.calls)).toEqual([[], [], [[0.25]]]);
  });

  it("loads again what could not be loaded", async () => {
    const { show, seen } = setUp();
    const failing = [show("wireframe"), show("mesh")];
    made.loads[0]?.failed(new Error("cut"));
    for (const failed of failing) await expect(failed).rejects.toThrow("cut");
    const again = show("wireframe");
    made.loads[1]?.came({ scene: (await glb()).scene });
    await again;
    expect(seen()).toHaveLength(1);
  });

  it("makes points of the gaussians that can be seen, when they are asked for", async () => {
    const { show, seen } = setUp();
    const mesh = show("mesh");
    made.loads[0]?.came({ scene: (await glb()).scene });
    await mesh;
    const splat = show("splat");
    made.loads[1]?.came(null);
    await splat;
    expect(made.splats[0]?.numSplats).toBe(3);
    expect(seen()).toEqual([made.splats[0]]);
    const walked = vi.mocked(made.splats[0] as SplatMesh).forEachSplat.mock.calls.length;
    await show("points");
    expect(made.splats[0]?.forEachSplat).toHaveBeenCalledTimes(walked + 1);
    const [points] = seen() ?? [];
    expect(points).toBeInstanceOf(Points);
    const { position, color } = (points as Points).geometry.attributes;
    expect([...(position?.array ?? [])]).toEqual([1, 2, 3, 4, 5, 6]);
    expect(color?.array[1]).toBeCloseTo(0.214, 3);
    expect(points?.rotation.x).toBeCloseTo(-Math.PI / 2);
  });

  it("lights the object again after the browser has taken WebGL away", async () => {
    const { canvas, show, seen, drawn, renderer } = setUp();
    const mesh = show("mesh");
    made.loads[0]?.came({ scene: (await glb()).scene });
    await mesh;
    seen();
    seen();
    expect(drawn).toEqual(["mesh"]);
    canvas.dispatchEvent(new Event("webglcontextrestored"));
    seen();
    expect(drawn).toEqual(["mesh", "mesh"]);
    expect(made.environments).toHaveLength(2);
    expect(renderer.scene?.environment).toBe(made.environments[1]?.texture);
  });

  it("sorts a splat anew after the browser has taken WebGL away", async () => {
    const { canvas, show, seen, renderer } = setUp();
    const splat = show("splat");
    made.loads[0]?.came(null);
    await splat;
    canvas.dispatchEvent(new Event("webglcontextrestored"));
    expect(seen()).toEqual([made.splats[0]]);
    expect(made.sparks.map((spark) => spark.disposed)).toEqual([1, 0]);
    const rendered = made.sparks.map((spark) => renderer.scene?.children.includes(spark as never));
    expect(rendered).toEqual([false, true]);
  });

  it("gives back all that it has on the GPU, and Spark's worker", async () => {
    const { scene: viewed, show } = setUp();
    const { scene, mesh } = await glb();
    const shown = [show("wireframe"), show("splat")];
    made.loads[0]?.came({ scene });
    made.loads[1]?.came(null);
    await Promise.all(shown);
    const freed = watch(made.environments[0], mesh.geometry, mesh.material, mesh.material.map);
    viewed.dispose();
    expect(freed()).toEqual([true, true, true, true]);
    expect(made.splats[0]?.disposed).toBe(1);
    expect(made.sparks[0]?.disposed).toBe(1);
  });

  it("lets Spark finish the sort that it is at", async () => {
    const { scene, show } = setUp();
    const splat = show("splat");
    made.loads[0]?.came(null);
    await splat;
    const [spark] = made.sparks;
    if (spark) spark.sorting = true;
    scene.dispose();
    expect(spark).toMatchObject({ disposed: 0, sortDirty: false });
    spark?.sorted();
    expect(spark?.disposed).toBe(1);
  });

  it("gives back what comes when it is no longer wanted", async () => {
    const { scene: viewed, show } = setUp();
    const { scene, mesh } = await glb();
    const shown = [show("mesh"), show("splat")];
    const freed = watch(mesh.geometry, mesh.material, mesh.material.map);
    viewed.dispose();
    made.loads[0]?.came({ scene });
    made.loads[1]?.came(null);
    await Promise.all(shown);
    expect(freed()).toEqual([true, true, true]);
    expect(made.splats[0]?.disposed).toBe(1);
    expect(scene.parent).toBeNull();
  });

  it("is looked at from its sides, straight on", async () => {
    const { scene: viewed, show, seen } = setUp();
    const mesh = show("mesh");
    made.loads[0]?.came({ scene: (await glb()).scene });
    await mesh;
    const from = { front: [0, 0, 1], side: [1, 0, 0], top: [0, 1, 0] } as const;
    for (const [side, direction] of Object.entries(from)) {
      viewed.side(side as keyof typeof from);
      seen();
      expect(seenFrom(), side).toEqual(direction);
    }
  });

  it("is filmed in one turn before a ground of its own, and stands as before", async () => {
    const { scene: viewed, show, seen, renderer } = setUp();
    const mesh = show("mesh");
    made.loads[0]?.came({ scene: (await glb()).scene });
    await mesh;
    viewed.side("front");
    const told = vi.fn();
    expect(await viewed.film(told)).toMatchObject({ ending: "webm" });
    expect(told.mock.calls.flat()).toEqual([0, 0.25, 1]);
    const [first, ground, quarter, , last] = made.filmed;
    expect([first, quarter, last]).toEqual([
      [0, 0, 1],
      [1, 0, 0],
      [0, 0, 1],
    ]);
    expect(ground).toBeInstanceOf(Color);
    seen();
    expect(renderer.scene?.background).toBeNull();
    viewed.ground("black");
    expect(renderer.scene?.background).toMatchObject({ r: 0, g: 0, b: 0 });
  });

  it("gives up a film whose page went on", async () => {
    const { scene: viewed, show } = setUp();
    const mesh = show("mesh");
    made.loads[0]?.came({ scene: (await glb()).scene });
    await mesh;
    const film = viewed.film(() => viewed.dispose());
    await expect(film).rejects.toThrow("given up");
  });
});
