import { beforeEach, describe, expect, it, vi } from "vitest";
import { drop, dropAll, dropJob, keep, kept, NO_JOB } from "../src/kept/kept";

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
  };
});

const photo = (text: string) => ({ blob: new Blob(["photo"]), text });

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
    await keep("photo", "J1", photo("cup"));
    await keep("photo", "J2", photo("chair"));
    expect((await kept("photo", "J1"))?.text).toBe("cup");
    await drop("photo", "J2");
    expect(await kept("photo", "J2")).toBeUndefined();
    await dropAll();
    expect(await kept("photo", "J1")).toBeUndefined();
  });

  it("is the newest, once the browser keeps things again", async () => {
    database.refusal = () => Promise.reject(new Error("full"));
    await keep("photo", "J1", photo("older"));
    database.refusal = null;
    await keep("photo", "J1", photo("cup"));
    expect((await kept("photo", "J1"))?.text).toBe("cup");
  });
});
