import { beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError } from "../src/api/error";
import type { JobView } from "../src/api/types";
import { drop, dropAll, dropJob, keep, kept, NO_JOB, onKeptElsewhere } from "../src/kept/kept";
import { note } from "../src/kept/notes";
import { sweep } from "../src/kept/sweep";

/** The browser's database; `refusal` is how it refuses, as a rejection or at once. */
const database = vi.hoisted(() => ({
  values: new Map<string, unknown>(),
  refusal: null as null | (() => Promise<never>),
}));

vi.mock("idb-keyval", () => {
  const { values } = database;
  const or = <T>(work: () => T) => database.refusal?.() ?? Promise.resolve(work());
  return {
    get: (key: string) => or(() => values.get(key)),
    set: (key: string, value: unknown) => or(() => values.set(key, value)),
    del: (key: string) => or(() => values.delete(key)),
    clear: () => or(() => values.clear()),
    keys: () => or(() => [...values.keys()]),
  };
});

const photo = (text: string) => ({ blob: new Blob(["photo"]), text, at: 0, uploaded: false });

beforeEach(async () => {
  database.refusal = null;
  await dropAll();
});

describe("what is kept", () => {
  it("outlives the tab where the browser keeps it", async () => {
    await keep("photo", "J1", photo("cup"));
    vi.resetModules();
    const reloaded = await import("../src/kept/kept");
    expect((await reloaded.kept("photo", "J1"))?.text).toBe("cup");
    await dropJob("J1");
    expect(await kept("photo", "J1")).toBeUndefined();
  });

  it("is told to the other tabs that show the same job, and to them alone", async () => {
    const heard: string[] = [];
    const end = onKeptElsewhere("photo", "J1", () => heard.push("here"));
    vi.resetModules();
    const another = await import("../src/kept/kept");
    another.onKeptElsewhere("photo", "J1", () => heard.push("there"));
    another.onKeptElsewhere("photo", "J2", () => heard.push("elsewhere"));
    await keep("photo", "J1", photo("cup"));
    await vi.waitFor(() => expect(heard).toEqual(["there"]));
    end();
    await another.keep("photo", "J1", photo("cup"));
    await keep("photo", "J2", photo("cup"));
    await vi.waitFor(() => expect(heard).toEqual(["there", "elsewhere"]));
  });

  it("holds a photo that has no job yet, until somebody signs out", async () => {
    const chosen = { blob: new Blob(["photo"]), name: "cup.jpg", type: "image/jpeg" } as const;
    await keep("choice", NO_JOB, { photo: chosen, text: "cup" });
    await dropJob("J1");
    expect((await kept("choice", NO_JOB))?.photo.name).toBe("cup.jpg");
    await dropAll();
    expect(await kept("choice", NO_JOB)).toBeUndefined();
  });

  it.each([
    ["rejects", () => Promise.reject(new DOMException("full", "QuotaExceededError"))],
    [
      "throws",
      () => {
        throw new DOMException("denied", "SecurityError");
      },
    ],
  ])("stays in this tab where the browser %s", async (_, refusal) => {
    await keep("photo", "J1", photo("older"));
    database.refusal = refusal;
    expect(await keep("photo", "J1", photo("cup"))).toBe(false);
    await keep("photo", "J2", photo("chair"));
    expect((await kept("photo", "J1"))?.text).toBe("cup");
    await drop("photo", "J2");
    expect(await kept("photo", "J2")).toBeUndefined();
    await dropAll();
    expect(await kept("photo", "J1")).toBeUndefined();
  });

  it("stays in this tab, and nobody waits, where the browser never answers", async () => {
    vi.useFakeTimers();
    try {
      database.refusal = () => new Promise<never>(() => undefined);
      const said = keep("photo", "J1", photo("cup"));
      await vi.advanceTimersByTimeAsync(6_000);
      expect(await said).toBe(false);
      expect((await kept("photo", "J1"))?.text).toBe("cup");
    } finally {
      vi.useRealTimers();
    }
  });

  it("is the newest, once the browser keeps things again", async () => {
    database.refusal = () => Promise.reject(new Error("full"));
    await keep("photo", "J1", photo("older"));
    database.refusal = null;
    expect(await keep("photo", "J1", photo("cup"))).toBe(true);
    expect((await kept("photo", "J1"))?.text).toBe("cup");
  });
});

describe("the sweep", () => {
  const DAY = 24 * 60 * 60_000;
  const job = (status: string, daysAgo: number) =>
    ({ status, createdAt: new Date(Date.now() - daysAgo * DAY).toISOString() }) as JobView;
  const jobs: Record<string, JobView> = {
    waiting: job("AWAITING_MASK", 6),
    failed: job("FAILED", 1),
    old: job("EXPIRED", 20),
    done: job("COMPLETED", 0),
  };
  const api = {
    getJob: vi.fn(async (jobId: string) => {
      if (jobs[jobId]) return jobs[jobId];
      throw new ApiError("JobNotFound", "There is no such job.", 404);
    }),
  };
  const here = async () => {
    const ids = ["waiting", "failed", "old", "done", "gone"];
    const found = await Promise.all(ids.map((jobId) => kept("photo", jobId)));
    return ids.filter((_, index) => found[index]);
  };

  beforeEach(async () => {
    note("localStorage", "gen3d-swept", null);
    api.getJob.mockClear();
    for (const jobId of [...Object.keys(jobs), "gone"]) await keep("photo", jobId, photo(jobId));
    const blob = new Blob(["photo"]);
    const chosen = { blob, name: "cup.jpg", type: "image/jpeg" } as const;
    await keep("choice", NO_JOB, { photo: chosen, text: "" });
  });

  it("takes away what is kept of jobs that are gone, finished, or ended long ago", async () => {
    await sweep(api);
    expect(await here()).toEqual(["waiting", "failed"]);
    expect(await kept("choice", NO_JOB)).toBeDefined();
  });

  it("takes nothing away while the server cannot say", async () => {
    api.getJob.mockRejectedValueOnce(new ApiError("Offline", "No answer.", 0));
    await sweep(api);
    expect(await here()).toHaveLength(5);
  });

  it("asks once a day", async () => {
    await sweep(api);
    await keep("photo", "gone", photo("gone"));
    await sweep(api);
    expect(await here()).toContain("gone");
    vi.useFakeTimers({ now: Date.now() + 1.1 * DAY, toFake: ["Date"] });
    await sweep(api);
    vi.useRealTimers();
    expect(await here()).not.toContain("gone");
  });
});
