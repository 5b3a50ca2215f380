import { QueryClient } from "@tanstack/react-query";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { JobStatus } from "../src/api/domain";
import { ApiError } from "../src/api/error";
import type { DraftView, JobView } from "../src/api/types";
import { stepsOf } from "../src/pages/job/steps";
import {
  accepted,
  newsOf,
  optimistic,
  pace,
  paceAfter,
  renew,
  type SeenJob,
  shown,
} from "../src/pages/job/useJob";

const job = (status: JobStatus, fields: Partial<JobView> = {}) =>
  ({ jobId: "j", status, run: 1, objects: [], ...fields }) as unknown as JobView;

afterEach(() => void vi.useRealTimers());

describe("a job after a request that was accepted", () => {
  it.each([
    ["CREATED", "INITIALIZING"],
    ["AWAITING_MASK", "RECONSTRUCTING"],
    ["FAILED", "INITIALIZING"],
  ] as const)("does not fall back from %s when its record is read too early", (from, to) => {
    // The answer may be of before or after.
    for (const answer of [job(from), job(to)]) {
      const seen = accepted(job(from), answer, to);
      expect(seen.status).toBe(to);
      const early = optimistic(seen, job(from));
      expect(early.status).toBe(to);
      expect(optimistic(early, job(from)).status).toBe(to);
      expect(optimistic(early, job("CANCELLED"))).toEqual(job("CANCELLED"));
    }
  });

  it("is looked at soon, though the record that it was read from waits for a person still", () => {
    const waiting = job("AWAITING_MASK", { pollSeconds: 30 });
    const seen = accepted(waiting, waiting, "RECONSTRUCTING");
    const looks = { still: 0, hidden: false };
    expect(pace(seen, looks)).toBe(2000);
    expect(pace(optimistic(seen, waiting), looks)).toBe(2000);
    const working = job("RECONSTRUCTING", { pollSeconds: 1 });
    expect(pace(accepted(waiting, working, "RECONSTRUCTING"), looks)).toBe(1000);
    expect(pace(optimistic(seen, working), looks)).toBe(1000);
  });

  it("counts from when it was taken up again, and not from the run before", () => {
    const since = (start: string, end: string | null = null) => ({ start, end, ms: null });
    const stages = { initialize: since("a", "b"), mask: since("b", "c"), reconstruct: since("c") };
    const failed = job("FAILED", { stages });
    const again = { ...stages, reconstruct: since("d") };
    const seen = accepted(failed, job("INITIALIZING", { run: 2, stages: again }), "INITIALIZING");
    const objects = [{ n: 0 }] as JobView["objects"];
    const early = shown(optimistic({ ...seen, objects }, failed));
    expect(stepsOf(early).map((step) => step.since)).toEqual([null, null, null, "d", null]);
  });

  it("has no clock for a stage that it has passed and only stands at for a moment", () => {
    const stage = { start: "a", end: "b", ms: 1 };
    const none = { start: null, end: null, ms: null };
    const stages = { initialize: stage, mask: { ...stage, end: null }, reconstruct: none };
    const steps = stepsOf(job("INITIALIZING", { run: 2, stages }));
    expect(steps.map((step) => step.since)).toEqual([null, null, null, null, null]);
    expect(stepsOf(job("AWAITING_MASK", { stages }))[2]?.since).toBe("a");
  });

  it("falls back where its record has not followed for a minute", () => {
    vi.useFakeTimers();
    const seen = accepted(job("CREATED"), job("CREATED"), "INITIALIZING");
    vi.advanceTimersByTime(59_000);
    expect(optimistic(seen, job("CREATED")).status).toBe("INITIALIZING");
    vi.advanceTimersByTime(2_000);
    expect(optimistic(seen, job("CREATED")).status).toBe("CREATED");
  });

  it("is believed to have failed again, by its next run", () => {
    const seen = accepted(job("FAILED"), job("INITIALIZING"), "INITIALIZING");
    expect(optimistic(seen, job("FAILED", { run: 2 })).status).toBe("FAILED");
  });

  it("is not held back from cancelling by what was expected before", () => {
    const begun = accepted(job("CREATED"), job("INITIALIZING"), "INITIALIZING");
    const cancelled = accepted(begun, job("CANCELLED"), "CANCELLED");
    expect(cancelled.status).toBe("CANCELLED");
    expect(optimistic(cancelled, job("CANCELLED")).status).toBe("CANCELLED");
  });

  it("is being reconstructed for a person, where it goes on with its masks", () => {
    const objects = [{ n: 0 }] as JobView["objects"];
    expect(shown(job("INITIALIZING", { objects })).status).toBe("RECONSTRUCTING");
    expect(shown(job("INITIALIZING")).status).toBe("INITIALIZING");
  });

  it("is being prepared for a person, where its mask is waited for before it can be clicked", () => {
    const decoder = { engine: "lite", revision: "1", url: "/d", draft: true };
    expect(shown(job("AWAITING_MASK")).status).toBe("INITIALIZING");
    expect(shown(job("AWAITING_MASK", { decoder })).status).toBe("AWAITING_MASK");
  });
});

describe("a newer view of a job", () => {
  const put = (queries: QueryClient, newer: JobView) =>
    renew(queries, "j", (earlier: SeenJob) => optimistic(earlier, newer));

  it("takes the place of the one that is there, but not of one that was forgotten", async () => {
    const queries = new QueryClient();
    queries.setQueryData(["job", "j"], job("INITIALIZING"));
    await put(queries, job("AWAITING_MASK"));
    expect(queries.getQueryData(["job", "j"])).toEqual(job("AWAITING_MASK"));
    queries.clear();
    await put(queries, job("COMPLETED"));
    expect(queries.getQueryData(["job", "j"])).toBeUndefined();
  });
});

describe("the pace at which a job is looked at", () => {
  const seen = { still: 0, hidden: false };

  it("renews the links of one that has ended, well before they end", () => {
    for (const status of ["COMPLETED", "FAILED", "EXPIRED", "CANCELLED"] as const) {
      expect(pace(job(status), seen)).toBeGreaterThan(60_000);
      expect(pace(job(status), seen)).toBeLessThan(50 * 60_000);
    }
    expect(pace(job("CREATED"), seen)).toBe(false);
  });

  it("is what the server says, and slower the longer nothing changes", () => {
    const working = job("RECONSTRUCTING", { pollSeconds: 3 });
    expect(pace(working, seen)).toBe(3000);
    const waits = Array.from({ length: 40 }, (_, still) =>
      Number(pace(working, { ...seen, still })),
    );
    expect(waits.every((wait, still) => still === 0 || wait >= Number(waits[still - 1]))).toBe(
      true,
    );
    expect(waits.at(-1)).toBe(10_000);
    // More than the page would wait by itself.
    expect(pace(job("RECONSTRUCTING", { pollSeconds: 30 }), { ...seen, still: 9 })).toBe(30_000);
    expect(pace(job("RECONSTRUCTING"), seen)).toBe(2000);
  });

  it("is that of a job at work while better embeddings than there are, if any, come", () => {
    const decoder = { engine: "lite", revision: "1", url: "/d", draft: true };
    const late = { still: 40, hidden: false };
    for (const better of [job("AWAITING_MASK"), job("AWAITING_MASK", { decoder })]) {
      expect(pace(better, seen)).toBe(2000);
      expect(pace(better, late)).toBe(10_000);
      expect(pace({ ...better, pollSeconds: 5 }, seen)).toBe(5000);
    }
    const best = job("AWAITING_MASK", { decoder: { ...decoder, draft: false } });
    expect(pace(best, seen)).toBe(20_000);
    expect(pace(best, late)).toBe(60_000);
  });

  it("begins anew with each decoder and each draft", () => {
    const decoder = { engine: "lite", revision: "1", url: "/d?signed=1", draft: true };
    const objects = [{ n: 0, status: "PENDING" }] as JobView["objects"];
    const drafted = objects.map((object) => ({ ...object, draft: { files: {} } as DraftView }));
    const jobs = [
      job("AWAITING_MASK"),
      job("AWAITING_MASK", { decoder }),
      job("AWAITING_MASK", { decoder: { ...decoder, draft: false } }),
      job("AWAITING_MASK", { decoder: { ...decoder, engine: "sam", draft: false } }),
      job("RECONSTRUCTING", { objects }),
      job("RECONSTRUCTING", { objects: drafted }),
    ];
    const far = (fraction: number) =>
      objects.map((one) => ({ ...one, progress: { phase: "a", fraction, restSeconds: null } }));
    jobs.push(job("RECONSTRUCTING", { objects: far(0.1) }));
    jobs.push(job("RECONSTRUCTING", { objects: far(0.2) }));
    expect(new Set(jobs.map(newsOf)).size).toBe(jobs.length);
    const signed = job("AWAITING_MASK", { decoder: { ...decoder, url: "/d?signed=2" } });
    expect(newsOf(signed)).toBe(newsOf(jobs[1] as JobView));
  });

  it("is slow where nobody sees it", () => {
    expect(pace(job("RECONSTRUCTING"), { still: 0, hidden: true })).toBe(60_000);
  });

  it("leaves the server in peace for as long as it says, and stops where the job is gone", () => {
    const busy = new ApiError("DependencyUnavailable", "Later.", 503, 9);
    expect(paceAfter(busy, 2000)).toBe(9000);
    expect(paceAfter(busy, 20_000)).toBe(20_000);
    expect(paceAfter(null, 2000)).toBe(2000);
    expect(paceAfter(new ApiError("JobNotFound", "No such job.", 404), 2000)).toBe(false);
  });
});
