import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { describe, expect, it, vi } from "vitest";
import { Router } from "wouter";
import type { ApiClient } from "../src/api/client";
import type { JobView } from "../src/api/types";
import type { AppConfig } from "../src/config/config";
import { Ended } from "../src/pages/job/Ended";
import JobPage from "../src/pages/job/JobPage";
import { Preparing } from "../src/pages/job/Preparing";
import { Reconstructing } from "../src/pages/job/Reconstructing";
import { Share } from "../src/pages/result/Share";
import { ServicesContext } from "../src/services";

/** What a page says at first sight. */
function shown(page: ReactNode): string {
  return renderToStaticMarkup(
    <Router ssrPath="/">
      <ServicesContext
        value={{ api: {} as ApiClient, config: { bucket: "b", region: "eu-west-1" } as AppConfig }}
      >
        {page}
      </ServicesContext>
    </Router>,
  );
}

const stages = { initialize: { start: "2026-11-22T10:00:00.000Z" } };
const job = (fields: Partial<JobView>) =>
  ({ objects: [], stages, ...fields }) as unknown as JobView;
const image = { width: 64, height: 64, bytes: 1, url: "https://b/image.jpg" };
const mask = { url: "https://b/mask.png" };
const object = { n: 0, name: "Cup", seed: 0, status: "FAILED", mask } as const;

describe("a job that ended without a model", () => {
  it("is tried again from its photo, and from its masks where it has some", () => {
    const masked = shown(<Ended job={job({ status: "FAILED", image, objects: [object] })} />);
    expect(masked).toContain("Try again");
    expect(masked).toContain("photo and masks");
    const expired = shown(<Ended job={job({ status: "EXPIRED", image })} />);
    expect(expired).toContain("Try again");
    expect(expired).not.toContain("masks");
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
    const page = shown(
      <QueryClientProvider client={queries}>
        <JobPage jobId="j" />
      </QueryClientProvider>,
    );
    expect(page).toContain("<title>Preparing · Cup · Gen3D</title>");
    expect(page).toMatch(/role="status">Preparing</);
  });
});

describe("sharing", () => {
  it("is not offered when the links have ended", () => {
    const signature = "X-Amz-Date=20261122T100000Z&X-Amz-Expires=3600";
    const url = `https://b.s3.eu-west-1.amazonaws.com/mesh.glb?${signature}`;
    const share = <Share object={{ ...object, files: { glb: { url, bytes: 1 } } }} />;
    vi.stubGlobal("window", { location: { origin: "https://gen3d.example" } });
    vi.setSystemTime("2026-11-22T10:59:00.000Z");
    expect(shown(share)).not.toContain("disabled");
    vi.setSystemTime("2026-11-22T11:00:00.000Z");
    expect(shown(share)).toContain("disabled");
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });
});
