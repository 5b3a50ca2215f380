import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { describe, expect, it, vi } from "vitest";
import { Router } from "wouter";
import { DEFAULTS } from "../src/api/chosen";
import type { ApiClient } from "../src/api/client";
import { ApiError } from "../src/api/error";
import type { JobView, ObjectView } from "../src/api/types";
import type { AppConfig } from "../src/config/config";
import { Ended } from "../src/pages/job/Ended";
import JobPage from "../src/pages/job/JobPage";
import { Preparing } from "../src/pages/job/Preparing";
import { Reconstructing } from "../src/pages/job/Reconstructing";
import Result from "../src/pages/result/Result";
import { Share } from "../src/pages/result/Share";
import { shareLink } from "../src/pages/result/share-link";
import { ServicesContext } from "../src/services";
import { ErrorNote } from "../src/ui/ErrorNote";

/** What a page says at first sight. */
function shown(page: ReactNode, queries = new QueryClient()): string {
  return renderToStaticMarkup(
    <Router ssrPath="/">
      <ServicesContext
        value={{ api: {} as ApiClient, config: { bucket: "b", region: "eu-west-1" } as AppConfig }}
      >
        <QueryClientProvider client={queries}>{page}</QueryClientProvider>
      </ServicesContext>
    </Router>,
  );
}

const step = { start: null, end: null, ms: null };
const begun = { ...step, start: "2026-11-22T10:00:00.000Z" };
const stages = { initialize: begun, mask: step, reconstruct: step };
const job = (fields: Partial<JobView>) =>
  ({ objects: [], stages, ...fields }) as unknown as JobView;
const image = { width: 64, height: 64, bytes: 1, url: "https://b/image.jpg" };
const mask = { url: "https://b/mask.png" };
const object = { n: 0, name: "Cup", options: DEFAULTS, seed: 0, status: "FAILED", mask } as const;

describe("a job that ended without a model", () => {
  it.each(["FAILED", "EXPIRED", "CANCELLED"] as const)("goes on where it stopped: %s", (status) => {
    const masked = shown(<Ended job={job({ status, image, objects: [object] })} />);
    expect(masked).toContain("Try again");
    expect(masked).toContain("The photo and the masks are kept");
    const early = shown(<Ended job={job({ status, image })} />);
    expect(early).toContain("Try again");
    expect(early).toContain("The photo is kept");
  });

  it("is started anew where its photo is gone", () => {
    expect(shown(<Ended job={job({ status: "CANCELLED" })} />)).not.toContain("Try again");
  });
});

describe("a job at work", () => {
  it("promises its mail where one comes, and none where somebody has to come back", () => {
    expect(shown(<Reconstructing job={job({ image, objects: [object] })} />)).toContain(
      "a mail comes",
    );
    const preparing = shown(<Preparing job={job({ image })} />);
    expect(preparing).toContain("a mail calls you back");
    expect(preparing).not.toContain("a mail comes");
  });

  it("says how far each object is, and what is left, once", () => {
    const progress = { phase: "latentsCondition", fraction: 0.42, restSeconds: 12 };
    const busy = { ...object, status: "PENDING", progress } as const;
    const bar = (one: ObjectView) => shown(<Reconstructing job={job({ objects: [one] })} />);
    expect(bar(busy)).toContain('aria-valuenow="42" aria-valuetext="42 %, about 15 s left"');
    expect(bar(busy)).toContain("width:42%");
    expect(bar(busy)).toContain('aria-hidden="true">latents condition · about 15 s left<');
    const endless = { ...busy, progress: { ...progress, restSeconds: null } };
    expect(bar(endless)).toContain('aria-valuenow="42"');
    expect(bar(endless)).not.toContain("left");
    const unknown = bar({ ...busy, progress: undefined });
    expect(unknown).toContain("progress-unknown");
    expect(unknown).not.toContain("aria-valuenow");
    expect(bar({ ...busy, status: "COMPLETED" })).toContain('aria-valuenow="100"');
  });

  it("has its sentence read out, and not its seconds", () => {
    vi.setSystemTime("2026-11-22T10:02:30.000Z");
    const preparing = shown(<Preparing job={job({})} />);
    vi.useRealTimers();
    expect(preparing).toContain("2 min 30 s");
    expect(preparing).toMatch(/aria-live="polite">The model is most likely[^<]*minutes\.<\/span>/);
  });

  it("is named by the page's title, and its status where it is read out", () => {
    const queries = new QueryClient();
    queries.setQueryData(["job", "j"], job({ jobId: "j", name: "Cup", status: "INITIALIZING" }));
    const page = shown(<JobPage jobId="j" />, queries);
    expect(page).toContain("<title>Preparing · Cup · Gen3D</title>");
    expect(page).toMatch(/role="status">Preparing</);
  });
});

describe("a job that waits in the queue", () => {
  it.each([
    [null, null],
    [{ ahead: 0 }, "No request is before yours."],
    [{ ahead: 1 }, "1 request is before yours."],
    [{ ahead: 3 }, "3 requests are before yours."],
  ])("says how long it is: %j", (queue, sentence) => {
    for (const page of [
      shown(<Preparing job={job({ image, queue })} />),
      shown(<Reconstructing job={job({ image, queue, objects: [object] })} />),
    ]) {
      if (sentence) expect(page).toContain(sentence);
      else expect(page).not.toMatch(/before yours/);
    }
  });

  it("is not told that something else is the matter", () => {
    vi.setSystemTime("2026-11-22T10:20:00.000Z");
    expect(shown(<Preparing job={job({})} />)).toContain("longer than waking");
    const behind = shown(<Preparing job={job({ queue: { ahead: 2 } })} />);
    vi.useRealTimers();
    expect(behind).toContain("comes in its turn");
    expect(behind).not.toContain("longer than waking");
  });
});

describe("a job of which a part is made again", () => {
  const cup = {
    ...object,
    name: "Cup",
    error: { error: "EmptySurface", message: "No surface." },
  } as const;
  const made = { glb: { url: "https://b/mesh.glb", bytes: 1 } };
  const saucer = { ...object, n: 1, name: "Saucer", status: "COMPLETED", files: made } as const;
  const page = (fields: Partial<JobView>) => {
    vi.stubGlobal("window", { location: { origin: "https://gen3d.example" } });
    const whole = shown(<Result job={job({ image, run: 1, ...fields } as JobView)} />);
    vi.unstubAllGlobals();
    return whole;
  };
  /** The last button that begins before these words. */
  const makeAgain = (shownPage: string) =>
    shownPage
      .slice(shownPage.lastIndexOf("<button", shownPage.indexOf("Make again")))
      .split(">")[0];

  it("says what of a splat its mesh explains, and warns of what is missing", () => {
    const figures = { vertices: 3, faces: 1, watertight: true, components: 1 };
    const mesh = { ...figures, gaussians: 9, gaussiansKept: 9 };
    const of = (more: Partial<typeof mesh & { coverage: number | null; warnings: string[] }>) =>
      page({ status: "COMPLETED", objects: [{ ...saucer, mesh: { ...mesh, ...more } }] });
    const lace = of({ coverage: 0.7812, warnings: ["A part is missing."] });
    expect(lace).toContain("<dt>Coverage of the splat</dt><dd>78.1 %</dd>");
    expect(lace).toContain('<p class="note" lang="en">A part is missing.</p>');
    expect(of({ coverage: null, warnings: [] })).not.toContain("Coverage");
    expect(of({})).not.toContain("Coverage"); // a mesh that is older than the figure
  });

  it("says what it was made with", () => {
    const options = { engine: { quality: "fast", seed: 7 }, mesh: { faces: 5000, texture: null } };
    const whole = page({ status: "COMPLETED", objects: [{ ...saucer, options }] });
    expect(whole).toContain("<dt>Reconstruction quality</dt><dd>fast</dd>");
    expect(whole).toContain("<dt>Seed</dt><dd>7</dd>");
    expect(whole).toContain("<dt>Faces, at most</dt><dd>5000</dd>");
    expect(whole).not.toContain("Texture");
    const old = page({
      status: "COMPLETED",
      objects: [{ ...saucer, options: undefined, seed: 4 } as unknown as ObjectView],
    });
    expect(old).toContain("<dt>Seed</dt><dd>4</dd>");
  });

  it("offers what failed a second chance, and every object another seed", () => {
    const failed = page({ status: "COMPLETED", objects: [cup, { ...cup, n: 1 }] });
    expect(failed).toContain("No surface.");
    expect(failed).toContain("“Cup”, “Cup” could not be made.");
    expect(failed).toContain("Try again");
    expect(makeAgain(failed)).not.toContain("disabled");
  });

  it("shows how far it is, and asks for no more meanwhile", () => {
    const pending = { ...cup, status: "PENDING", error: undefined } as const;
    const again = page({ status: "RECONSTRUCTING", run: 2, objects: [pending] });
    expect(again).toContain("Step 1 of 2");
    expect(again).toContain("Making “Cup”.");
    expect(again).not.toContain("could not be made");
    const cancelled = page({ status: "CANCELLED", run: 2, objects: [pending] });
    expect(cancelled).toContain("“Cup” was not made.");
    expect(cancelled).not.toContain("Making");
    expect(makeAgain(again)).toContain("disabled");
  });

  it("keeps in sight what exists", () => {
    const queries = new QueryClient();
    const pending = { ...cup, status: "PENDING", error: undefined } as const;
    const objects = [pending, saucer];
    const seen = (fields: Partial<JobView>) => {
      const whole = job({ jobId: "j", name: "Cups", image, objects, ...fields } as JobView);
      queries.setQueryData(["job", "j"], whole);
      return shown(<JobPage jobId="j" />, queries);
    };
    expect(seen({ status: "RECONSTRUCTING", run: 1 })).toContain("object-progress");
    expect(seen({ status: "INITIALIZING", run: 2 })).not.toContain("Preparing the photo");
    expect(seen({ status: "INITIALIZING", run: 2 })).not.toContain("object-progress");
    expect(seen({ status: "CANCELLED", run: 2 })).toContain("This job was cancelled");
  });
});

describe("a job of which there is a draft", () => {
  const files = { glb: { url: "https://b/draft/mesh.glb", bytes: 1 } };
  const cup = {
    ...object,
    status: "PENDING",
    draft: { files, picture: mask, mesh: { vertices: 4, faces: 4 } },
  } as const;
  const seen = (fields: Partial<JobView>) => {
    const queries = new QueryClient();
    const whole = job({ jobId: "j", name: "Cup", image, run: 1, ...fields } as JobView);
    queries.setQueryData(["job", "j"], whole);
    return shown(<JobPage jobId="j" />, queries);
  };
  const result = (fields: Partial<JobView>) => {
    vi.stubGlobal("window", { location: { origin: "https://gen3d.example" } });
    const page = shown(<Result job={job({ run: 1, ...fields })} />);
    vi.unstubAllGlobals();
    return page;
  };
  // What the viewer is given is seen in the browser's tests: it is loaded by itself.

  it("shows it while the model works, with what it is and how far that is", () => {
    const page = result({ status: "RECONSTRUCTING", objects: [cup] });
    expect(page).toContain("Making “Cup”. A draft stays in sight meanwhile.");
    expect(page).toContain("a mail comes");
    expect(page).toContain("Step 1 of 2");
    expect(page).toContain("Loading the viewer");
    expect(page).toContain("Draft, GLB");
    expect(seen({ status: "RECONSTRUCTING", objects: [cup] })).not.toContain("object-progress");
    const without = { ...cup, draft: undefined };
    expect(seen({ status: "RECONSTRUCTING", objects: [without] })).toContain("object-progress");
  });

  it("calls it one where nothing else was made", () => {
    const error = { error: "EndpointUnavailable", message: "The endpoint did not wake." } as const;
    const failed = { ...cup, status: "FAILED", error } as const;
    const page = seen({ status: "FAILED", error, objects: [failed] });
    expect(page).toContain("What you see below is a draft.");
    const below = result({ status: "FAILED", objects: [failed] });
    expect(below).toContain("The endpoint did not wake.");
    expect(below).toContain("Loading the viewer");
    expect(below).toContain("Draft, GLB");
    const without = { ...failed, draft: undefined };
    expect(seen({ status: "FAILED", error, objects: [without] })).not.toContain("draft");
  });

  it("shows it no more beside what was made", () => {
    const made = { glb: { url: "https://b/mesh.glb", bytes: 1 } };
    const saucer = { ...cup, status: "COMPLETED", draft: undefined, files: made } as const;
    const page = result({ status: "COMPLETED", objects: [saucer] });
    expect(page).toContain("<strong>GLB</strong>");
    expect(page).not.toMatch(/draft/i);
  });
});

describe("a refusal that ends", () => {
  it("says when to try again", () => {
    vi.setSystemTime("2026-11-22T10:00:00.000Z");
    const refused = (seconds: number | null) =>
      shown(<ErrorNote error={new ApiError("LimitReached", "Ten jobs run.", 429, seconds)} />);
    expect(refused(40)).toContain("Try again in 40 seconds.");
    expect(refused(3600)).toMatch(/Try again after \d+:00/);
    expect(refused(null)).not.toContain("Try again");
    vi.useRealTimers();
  });
});

describe("sharing", () => {
  it("is offered once there is something to see", () => {
    const share = (files: ObjectView["files"]) => {
      const { files: _, ...rest } = object as ObjectView;
      return shown(<Share job={{} as JobView} object={files ? { ...rest, files } : rest} />);
    };
    expect(share({ glb: { url: "https://b/mesh.glb", bytes: 1 } })).not.toContain("disabled");
    expect(share(undefined)).toContain("disabled");
  });

  it("sends the API's page, wherever that is", () => {
    const here = "https://gen3d.example/jobs/1?x#y";
    expect(shareLink("/api", "abc", here)).toBe("https://gen3d.example/api/s/abc");
    const elsewhere = "https://x.execute-api.us-east-1.amazonaws.com";
    expect(shareLink(elsewhere, "abc", here)).toBe(`${elsewhere}/s/abc`);
  });
});
