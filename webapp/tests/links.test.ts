import { describe, expect, it } from "vitest";
import { fileOf, Links } from "../src/api/links";

describe("Links", () => {
  it("keeps the first link to a file, wherever it stands in an answer", () => {
    const links = new Links();
    links.steadyAll({ image: { url: "https://b/k.jpg?sig=1" } });
    expect(
      links.steadyAll({
        picture: "https://b/k.jpg?sig=2",
        name: "https://b/k.jpg?sig=2",
        objects: [{ mask: { url: "https://b/m.png?sig=2" } }],
      }),
    ).toEqual({
      picture: "https://b/k.jpg?sig=1",
      name: "https://b/k.jpg?sig=2",
      objects: [{ mask: { url: "https://b/m.png?sig=2" } }],
    });
  });

  it("takes a new link to what was made anew under the same name", () => {
    const links = new Links();
    const answer = (seed: number, status: string, n: number) => ({
      objects: [{ seed, status, files: { glb: { url: `https://b/mesh.glb?sig=${n}` } } }],
    });
    const first = answer(0, "COMPLETED", 1);
    expect(links.steadyAll(first)).toEqual(first);
    expect(links.steadyAll(answer(0, "COMPLETED", 2))).toEqual(first);
    expect(links.steadyAll(answer(5, "COMPLETED", 3))).toEqual(answer(5, "COMPLETED", 3));
    const chosen = (quality: string, n: number) => ({
      objects: answer(5, "COMPLETED", n).objects.map((object) => ({
        ...object,
        options: { mesh: { quality } },
      })),
    });
    expect(links.steadyAll(chosen("fine", 4))).toEqual(chosen("fine", 4));
    expect(links.steadyAll(chosen("fine", 5))).toEqual(chosen("fine", 4));
    expect(links.steadyAll(chosen("fast", 6))).toEqual(chosen("fast", 6));
  });

  it("takes a new link before the kept one ends", () => {
    let now = 0;
    const links = new Links(() => now);
    links.steady("https://b/k?1");
    now = 11 * 60 * 1000;
    expect(links.steady("https://b/k?2")).toBe("https://b/k?2");
  });
});

describe("fileOf", () => {
  it("is the same for every signature", () => {
    expect(fileOf("https://b/k.glb?sig=1")).toBe(fileOf("https://b/k.glb?sig=2"));
    expect(fileOf("https://b/k.glb?sig=1")).not.toBe(fileOf("https://b/other.glb?sig=1"));
  });
});
