import { renderToStaticMarkup } from "react-dom/server";
import { describe, expect, it, vi } from "vitest";
import { DEFAULTS } from "../src/api/chosen";
import type { JobView, ObjectView } from "../src/api/types";
import { Downloads } from "../src/pages/result/Downloads";
import { Figures } from "../src/pages/result/Figures";
import Viewer from "../src/viewer/Viewer";

// What draws splats wants a browser where it is imported.
vi.mock("@sparkjsdev/spark", () => ({}));

const file = (name: string) => ({ url: `https://b/${name}`, bytes: 9 });
const figures = { vertices: 4, faces: 1200, watertight: true, components: 1 };
const object: ObjectView = {
  n: 0,
  name: "Cup",
  options: DEFAULTS,
  seed: 0,
  status: "COMPLETED",
  mask: file("mask.png"),
  files: { glb: file("mesh.glb") },
  mesh: figures,
};
const made = { ...file("engine.glb"), vertices: 9000, faces: 15000, timings: { decode: 2000 } };
const ofMesh: ObjectView = {
  ...object,
  engineMesh: made,
  mesh: { ...figures, coverage: 0.93, warnings: ["Look at both."] },
};
const ofSplat: ObjectView = {
  ...object,
  splat: { ...file("splat.ply"), gaussians: 5000 },
  mesh: { ...figures, coverage: 0.99 },
};
const stages = { reconstruct: { start: null, end: null, ms: null } };
const job = { objects: [], stages, run: 1 } as unknown as JobView;

describe("an object whose engine made a mesh", () => {
  it("has no splat to be shown", () => {
    const view = (splat: string | null) =>
      renderToStaticMarkup(<Viewer name="Cup" meshUrl="https://b/mesh.glb" splatUrl={splat} />);
    for (const word of ["Splat", "Points"]) {
      expect(view("https://b/splat.ply")).toContain(word);
      expect(view(null)).not.toContain(word);
    }
    expect(view(null)).toContain("Wires");
  });

  it("has the engine's mesh among its downloads, and no splat", () => {
    const links = renderToStaticMarkup(<Downloads object={ofMesh} />);
    expect(links).toContain("https://b/engine.glb");
    expect(links).not.toContain("Splat");
    expect(renderToStaticMarkup(<Downloads object={ofSplat} />)).not.toContain("engine.glb");
  });

  it("says where a depth map was of no use, and how high a thing is", () => {
    const told = (takes: string[] | undefined, mesh: object = {}) =>
      renderToStaticMarkup(
        <Figures
          job={{ ...job, depth: true, ...(takes && { takes }) }}
          object={{ ...ofSplat, mesh: { ...figures, ...mesh } }}
        />,
      );
    expect(told([])).toContain("<dt>Depth map</dt><dd>not read by this engine</dd>");
    expect(told(["depth"], { height: 0.0951 })).toContain("<dt>Height</dt><dd>9.5 cm</dd>");
    for (const takes of [["depth"], undefined]) {
      expect(told(takes)).not.toMatch(/Depth map|Height/);
    }
  });

  it("tells of that mesh, and of nothing that splats have", () => {
    const told = renderToStaticMarkup(<Figures job={job} object={ofMesh} />);
    expect(told).toContain("15,000");
    expect(told).not.toMatch(/gaussians|splat/i);
    expect(told).toContain("<dt>Coverage of the engine&#x27;s mesh</dt><dd>93.0 %</dd>");
    expect(told).toContain("Look at both.");
    const other = renderToStaticMarkup(<Figures job={job} object={ofSplat} />);
    expect(other).toMatch(/gaussians/i);
    expect(other).not.toContain("engine&#x27;s mesh");
  });
});
