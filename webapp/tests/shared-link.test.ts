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
} as unknown as ObjectView;

const place = { bucket: "b", region: "eu-west-1" };
const linking = (url: string) =>
  toFragment({ ...object, splat: undefined, files: { glb: { url, bytes: 1 } } } as ObjectView);

describe("a shared link", () => {
  it("brings name and files back, and ends with the first of them", () => {
    const shared = fromFragment(toFragment(object), place);
    expect(shared?.name).toBe("Größe · 杯");
    expect(shared?.glb).toBe(object.files?.glb?.url);
    expect(shared && endOf(shared)?.toISOString()).toBe("2026-11-22T10:30:00.000Z");
  });

  it("leads nowhere but into the bucket", () => {
    expect(fromFragment(linking("https://b.s3.amazonaws.com/x"), place)).not.toBeNull();
    expect(fromFragment(toFragment(object), { ...place, bucket: "other" })).toBeNull();
    for (const url of [
      "https://evil.example/x",
      "https://evil.example/b/x",
      "https://b.s3.evil.example/x",
      "https://b.s3.us-east-1.amazonaws.com/x",
      "https://b.s3.eu-west-1.amazonaws.com:444/x",
      "http://b.s3.eu-west-1.amazonaws.com/x",
      "https://s3.eu-west-1.amazonaws.com/b/x",
      "javascript:/b/;alert(1)",
      "data:/b/,x",
      "blob:https://b.s3.eu-west-1.amazonaws.com/x",
    ]) {
      expect(fromFragment(linking(url), place), url).toBeNull();
    }
  });

  it("leads into the bucket of a stack on one machine", () => {
    const here = { ...place, endpoint: "http://localhost:20005/" };
    expect(fromFragment(linking("http://localhost:20005/b/x"), here)).not.toBeNull();
    for (const url of [
      "http://localhost:20005/other/x",
      "http://localhost:20005/b/../other/x",
      "http://localhost:20006/b/x",
      "javascript:/b/;alert(1)",
    ]) {
      expect(fromFragment(linking(url), here), url).toBeNull();
    }
  });

  it("is refused where it is damaged", () => {
    for (const fragment of ["", "!!!", "e30", btoa("null"), toFragment(object).slice(5)]) {
      expect(fromFragment(fragment, place)).toBeNull();
    }
  });
});
