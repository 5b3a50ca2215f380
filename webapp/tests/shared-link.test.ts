import { describe, expect, it } from "vitest";
import type { ObjectView } from "../src/api/types";
import { endOf, fromFragment, toFragment } from "../src/pages/shared-link";

const signed = (key: string, at: string) =>
  `https://b.s3.eu-west-1.amazonaws.com/${key}?X-Amz-Date=${at}&X-Amz-Expires=3600`;

const object = {
  n: 0,
  name: "Größe · 杯",
  seed: 0,
  status: "COMPLETED",
  files: { glb: { url: signed("mesh.glb", "20261122T100000Z"), bytes: 1 } },
  splat: { url: signed("splat.ply", "20261122T093000Z"), gaussians: 1, bytes: 1 },
} as ObjectView;

describe("a shared link", () => {
  it("brings name and files back, and ends with the first of them", () => {
    const shared = fromFragment(toFragment(object), "b");
    expect(shared?.name).toBe("Größe · 杯");
    expect(shared?.glb).toBe(object.files?.glb?.url);
    expect(shared && endOf(shared)?.toISOString()).toBe("2026-11-22T10:30:00.000Z");
  });

  it("leads nowhere but into the bucket", () => {
    const elsewhere = {
      ...object,
      splat: undefined,
      files: { glb: { url: "https://evil/x.glb", bytes: 1 } },
    };
    expect(fromFragment(toFragment(elsewhere), "b")).toBeNull();
    expect(fromFragment(toFragment(object), "other")).toBeNull();
  });

  it("is refused where it is damaged", () => {
    for (const fragment of ["", "!!!", "e30", btoa("null"), toFragment(object).slice(5)]) {
      expect(fromFragment(fragment, "b")).toBeNull();
    }
  });
});
