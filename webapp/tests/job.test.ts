import { QueryClient } from "@tanstack/react-query";
import { describe, expect, it } from "vitest";
import type { JobStatus, JobView } from "../src/api/types";
import { onwards, pace, renew, taken } from "../src/pages/job/useJob";

const job = (status: JobStatus) => ({ jobId: "j", status }) as JobView;

describe("a job whose masks were taken", () => {
  it("is being reconstructed, before its record says so", () => {
    expect(taken(job("AWAITING_MASK")).status).toBe("RECONSTRUCTING");
    expect(taken(job("FAILED")).status).toBe("FAILED");
  });

  it("does not fall back to selecting when its record is read too early", () => {
    expect(onwards(job("RECONSTRUCTING"), job("AWAITING_MASK")).status).toBe("RECONSTRUCTING");
    expect(onwards(job("RECONSTRUCTING"), job("EXPIRED")).status).toBe("EXPIRED");
    expect(onwards(job("INITIALIZING"), job("AWAITING_MASK")).status).toBe("AWAITING_MASK");
    expect(onwards(undefined, job("AWAITING_MASK")).status).toBe("AWAITING_MASK");
  });
});

describe("a newer view of a job", () => {
  it("takes the place of the one that is there, but not of one that was forgotten", async () => {
    const queries = new QueryClient();
    queries.setQueryData(["job", "j"], job("INITIALIZING"));
    await renew(queries, job("AWAITING_MASK"));
    expect(queries.getQueryData(["job", "j"])).toEqual(job("AWAITING_MASK"));
    queries.clear();
    await renew(queries, job("COMPLETED"));
    expect(queries.getQueryData(["job", "j"])).toBeUndefined();
  });
});

describe("the pace at which a job is looked at", () => {
  it("renews the links of one that has ended, well before they end", () => {
    for (const status of ["COMPLETED", "FAILED", "EXPIRED"] as const) {
      expect(pace(status)).toBeGreaterThan(60_000);
      expect(pace(status)).toBeLessThan(50 * 60_000);
    }
    expect(pace("CANCELLED")).toBe(false);
    expect(pace("RECONSTRUCTING")).toBe(2000);
  });
});
