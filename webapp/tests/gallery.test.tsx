import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { renderToStaticMarkup } from "react-dom/server";
import { describe, expect, it } from "vitest";
import { Router } from "wouter";
import type { ApiClient } from "../src/api/client";
import type { JobStatus } from "../src/api/domain";
import type { JobSummary } from "../src/api/types";
import type { AppConfig } from "../src/config/config";
import { found, type Order } from "../src/pages/found";
import Gallery from "../src/pages/Gallery";
import { ServicesContext } from "../src/services";

/** The gallery of one job. */
function shown(status: JobStatus, draft?: boolean): string {
  const queries = new QueryClient();
  const job = { jobId: "j", name: "Cup", createdAt: "2026-11-22T10:00:00Z", objects: 1 };
  const page = { jobs: [{ ...job, status, draft, picture: "https://b/p.png" }], cursor: null };
  queries.setQueryData(["jobs"], { pages: [page], pageParams: [null] });
  return renderToStaticMarkup(
    <Router ssrPath="/gallery">
      <ServicesContext value={{ api: {} as ApiClient, config: {} as AppConfig }}>
        <QueryClientProvider client={queries}>
          <Gallery />
        </QueryClientProvider>
      </ServicesContext>
    </Router>,
  );
}

describe("a job's card", () => {
  it("calls a draft's picture one, beside how far the job is", () => {
    expect(shown("RECONSTRUCTING", true)).toMatch(/>Draft<.*>Reconstructing</);
    expect(shown("FAILED", true)).toMatch(/>Draft<.*>Failed</);
    expect(shown("RECONSTRUCTING")).not.toContain("Draft");
    expect(shown("COMPLETED", false)).not.toContain("Draft");
  });

  it("shows a model whole, and a photo filled", () => {
    for (const model of [shown("COMPLETED"), shown("RECONSTRUCTING", true)]) {
      expect(model).toContain("job-picture-model");
    }
    expect(shown("RECONSTRUCTING")).not.toContain("job-picture-model");
  });
});

describe("the gallery's list", () => {
  const jobs = [
    { jobId: "1", name: "Cup 10", status: "COMPLETED", createdAt: "2026-11-22T10:00:00Z" },
    { jobId: "2", name: "Cup 2", status: "FAILED", createdAt: "2026-11-23T10:00:00Z" },
    { jobId: "3", name: "Tässe", status: "COMPLETED", createdAt: "2026-11-21T10:00:00Z" },
  ] as JobSummary[];
  const ids = (text: string, order: Order = "newest") =>
    found(jobs, text, order)
      .map(({ jobId }) => jobId)
      .join("");

  it("is searched by every word, of name and status, whatever the case and the accents", () => {
    expect(ids("")).toBe("213");
    expect(ids("cup")).toBe("21");
    expect(ids(" TASSE ")).toBe("3");
    expect(ids("failed cup")).toBe("2");
    expect(ids("cup tasse")).toBe("");
  });

  it("is ordered by time, name or status", () => {
    expect(ids("", "oldest")).toBe("312");
    expect(ids("", "name")).toBe("213");
    expect(ids("", "status")).toBe("132");
  });

  it("leaves the answer of the server as it is", () => {
    const before = [...jobs];
    ids("", "name");
    expect(jobs).toEqual(before);
  });
});
