import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { renderToStaticMarkup } from "react-dom/server";
import { describe, expect, it, vi } from "vitest";
import { isJob } from "../src/api/answers";
import { DEFAULTS, secondsOf, withSeed, withValues } from "../src/api/chosen";
import type { ApiClient } from "../src/api/client";
import type { JobView, ObjectView, OffersView, VariantView } from "../src/api/types";
import { OptionFields } from "../src/pages/job/OptionFields";
import { aboutSeeds } from "../src/pages/result/MakeAgain";
import { Variants } from "../src/pages/result/Variants";
import { ServicesContext } from "../src/services";

const figures = { vertices: 4, faces: 1200, watertight: true, components: 1 };
const made = (seed: number, score: number | undefined, kept = false): VariantView => ({
  seed,
  status: "COMPLETED",
  kept,
  picture: { url: `https://b/seeds/${seed}/preview.png` },
  mesh: { ...figures, truth: { silhouette: 0.9, colour: 0.9, score } },
});
const lost: VariantView = {
  seed: 7,
  status: "FAILED",
  kept: false,
  error: { error: "EmptySurface", message: "Nothing was there." },
};
const cup: ObjectView = {
  n: 0,
  name: "Cup",
  options: withSeed(DEFAULTS, 6),
  seed: 6,
  status: "COMPLETED",
  mask: { url: "https://b/mask.png" },
  variants: [made(5, 0.712), made(6, 0.894, true), lost],
};
const job = (fields: Partial<JobView> = {}) =>
  ({ jobId: "j", status: "COMPLETED", objects: [cup], ...fields }) as unknown as JobView;

function shown(object: ObjectView, of = job()): string {
  return renderToStaticMarkup(
    <ServicesContext value={{ api: {} as ApiClient, config: {} as never }}>
      <QueryClientProvider client={new QueryClient()}>
        <Variants job={of} object={object} />
      </QueryClientProvider>
    </ServicesContext>,
  );
}

const buttons = (page: string) => [...page.matchAll(/<button[^>]*>/g)].map(([tag]) => tag);

describe("the seeds of an object", () => {
  it("stand side by side with picture and score, the kept one marked", () => {
    const page = shown(cup);
    for (const seed of [5, 6]) expect(page).toContain(`https://b/seeds/${seed}/preview.png`);
    expect(page).toContain("71.2 % as in the photo");
    expect(page).toContain("89.4 % as in the photo");
    expect(page.match(/Kept/g)).toHaveLength(1);
    expect(page).toMatch(/class="kept"><img[^>]*seed 6/);
  });

  it("can each be kept in its place, but what failed, of which the reason is said", () => {
    expect(buttons(shown(cup))).toEqual([expect.stringContaining("Keep seed 5 in its place")]);
    expect(shown(cup)).toContain("Nothing was there.");
  });

  it("are not chosen from while the job is at work", () => {
    const [button] = buttons(shown(cup, job({ status: "RECONSTRUCTING" })));
    expect(button).toContain("disabled");
  });

  it("say where nothing tells which is true", () => {
    const page = shown({ ...cup, variants: [made(5, undefined)] });
    expect(page).toContain("Not comparable with the photo");
  });

  it("are on their way until the job has ended", () => {
    const pending: VariantView = { seed: 5, status: "PENDING", kept: false };
    const page = (status: JobView["status"]) =>
      shown({ ...cup, variants: [pending] }, job({ status }));
    expect(page("RECONSTRUCTING")).toContain("On its way");
    expect(page("CANCELLED")).toContain("Not made");
  });

  it("are none of an object that was made once", () => {
    expect(shown({ ...cup, variants: undefined })).toBe("");
  });

  it("are understood, or the answer is of another version", () => {
    expect(isJob(job())).toBe(true);
    const odd = { ...cup, variants: [{ seed: "5" }] } as unknown as ObjectView;
    expect(isJob(job({ objects: [odd] }))).toBe(false);
  });
});

describe("how many seeds are tried", () => {
  const engine: OffersView["engine"] = {
    quality: { values: ["standard"], seconds: { standard: 4 } },
    seeds: { values: [1, 2, 3], seconds: {} },
  };
  const mesh: OffersView["mesh"] = { quality: { values: ["standard"], seconds: { standard: 2 } } };
  const three = { ...DEFAULTS, engine: { ...DEFAULTS.engine, seeds: 3 } };

  it("is chosen where the engine offers it", () => {
    const page = (offers: OffersView) =>
      renderToStaticMarkup(<OptionFields offers={offers} value={DEFAULTS} onChange={vi.fn()} />);
    expect(page({ engine, mesh })).toContain("Seeds to try");
    const { quality = { values: [], seconds: {} } } = engine;
    const without = { engine: { quality }, mesh: { ...mesh, faces: { minimum: 1, maximum: 9 } } };
    expect(page(without)).not.toContain("Seeds to try");
  });

  it("is said to be of no use where nothing tells which is true", () => {
    const { quality = { values: [], seconds: {} } } = engine;
    expect(aboutSeeds({ engine: { quality }, mesh }, DEFAULTS)).toMatch(/not tried.*truest/);
    expect(aboutSeeds({ engine, mesh }, DEFAULTS)).toBe("");
    expect(aboutSeeds({ engine, mesh }, three)).toMatch(/Each seed .* costs/);
  });

  it("costs the time of each", () => {
    expect(secondsOf({ engine, mesh }, DEFAULTS)).toBe(6);
    expect(secondsOf({ engine, mesh }, three)).toBe(18);
  });

  it("is no figure of what was made, which is of one", () => {
    expect(withValues(three).map(([{ title }]) => title)).not.toContain("Seeds to try");
  });
});
