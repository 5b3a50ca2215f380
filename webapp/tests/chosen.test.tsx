import { renderToStaticMarkup } from "react-dom/server";
import { describe, expect, it, vi } from "vitest";
import { choose, DEFAULTS, KNOWN, secondsOf, withSeed, withValues } from "../src/api/chosen";
import type { OffersView, OptionsView } from "../src/api/types";
import { OptionFields, within } from "../src/pages/job/OptionFields";

const mesh: OffersView["mesh"] = {
  quality: { values: ["fast", "standard", "fine"], seconds: { fast: 1, standard: 4 } },
  faces: { minimum: 1000, maximum: 200_000 },
  texture: { values: [512, 1024], seconds: {} },
  height: { minimum: 1, maximum: 100_000 },
};
const engine: OffersView["engine"] = {
  quality: { values: ["fast", "standard"], seconds: { fast: 2, standard: 8.5 } },
  seed: { minimum: 0, maximum: 99 },
  seeds: { values: [1, 2, 3], seconds: {} },
};

const shown = (offers: OffersView | undefined, value: OptionsView = DEFAULTS) =>
  renderToStaticMarkup(<OptionFields offers={offers} value={value} onChange={vi.fn()} />);
const labels = (page: string) => [...page.matchAll(/<label[^>]*>([^<]*)/g)].map(([, text]) => text);

describe("the options' fields", () => {
  it("show what is offered, closed, by the words of the domain", () => {
    const page = shown({ engine, mesh });
    expect(labels(page)).toEqual(KNOWN.map(({ title }) => title));
    expect(page).toMatch(/<details class="options"><summary>Options<\/summary>/);
    expect(page).toContain('<option value="standard" selected="">standard</option>');
    expect(page).toContain('min="1000" max="200000"');
  });

  it("show nothing that is not offered, or has no other value", () => {
    const one = { quality: { values: ["standard"], seconds: { standard: 1 } } };
    expect(labels(shown({ engine: one, mesh }))).toEqual([
      "Mesh quality",
      "Faces, at most",
      "Texture, pixels a side",
      "Height, mm",
    ]);
    expect(
      labels(
        shown({ engine: { quality: { values: ["fast", "standard"], seconds: {} } }, mesh: {} }),
      ),
    ).toEqual(["Reconstruction quality"]);
    expect(shown({ engine: one, mesh: {} })).toBe("");
    expect(shown(undefined)).toBe("");
  });

  it("pass over what an engine of tomorrow offers", () => {
    expect(
      labels(shown({ engine: { ofTomorrow: { minimum: 1, maximum: 50 } }, mesh })),
    ).toHaveLength(Object.keys(mesh).length);
  });

  it("leave to the quality what nobody chooses", () => {
    const page = shown({ engine, mesh });
    expect(page).toContain('<option value="null" selected="">automatic</option>');
    expect(page).toContain('placeholder="automatic" value=""');
  });

  it("say how long it takes where all that is passed says it", () => {
    expect(shown({ engine, mesh })).toContain("About 13 s an object");
    const fine = { ...DEFAULTS, mesh: { ...DEFAULTS.mesh, quality: "fine" } };
    expect(shown({ engine, mesh }, fine)).not.toContain("an object");
    expect(secondsOf({ engine, mesh: {} }, DEFAULTS)).toBeNull();
  });

  it("send the nearest number that may be sent", () => {
    expect([999, 1000.4, 200_001].map((n) => within(n, 1000, 200_000))).toEqual([
      1000, 1000, 200_000,
    ]);
  });
});

describe("what is chosen", () => {
  it("keeps what this page does not know", () => {
    const made = withSeed({ engine: { ofTomorrow: 9, seed: 1 }, mesh: { quality: "fine" } }, 5);
    expect(made).toEqual({ engine: { ofTomorrow: 9, seed: 5 }, mesh: { quality: "fine" } });
    const [quality] = KNOWN;
    expect(quality && choose(made, quality, "fast").engine).toEqual({
      ofTomorrow: 9,
      seed: 5,
      quality: "fast",
    });
  });

  it("is read by its titles", () => {
    expect(withValues(withSeed(DEFAULTS, 3)).map(([{ title }, value]) => [title, value])).toEqual([
      ["Reconstruction quality", "standard"],
      ["Seed", 3],
      ["Mesh quality", "standard"],
    ]);
  });
});
