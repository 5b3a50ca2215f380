import { afterEach, describe, expect, it, vi } from "vitest";
import type { ApiClient } from "../src/api/client";
import { ApiError } from "../src/api/error";
import { postForm } from "../src/api/form";
import { make } from "../src/api/whole-job";

const photo = new Blob(["…"], { type: "image/jpeg" });
const form = { url: "https://bucket/", fields: { key: "k" } };

afterEach(() => vi.unstubAllGlobals());

describe("a whole job", () => {
  it("is asked for once, though an answer was lost, and looked at until its end", async () => {
    const words: (string | undefined)[] = [];
    const looks = [
      { status: "RECONSTRUCTING", pollSeconds: 0 },
      { status: "COMPLETED", pollSeconds: null },
    ];
    const api = {
      createJob: async (_name: string, _type: string, _objects: unknown, once?: string) => {
        words.push(once);
        if (words.length === 1) throw new ApiError("Offline", "No answer.", 0);
        return { jobId: "J1", prefix: "", upload: form };
      },
      upload: async () => undefined,
      initialize: async () => ({}),
      getJob: async () => looks.shift(),
    } as unknown as ApiClient;
    vi.useFakeTimers();
    const told: string[] = [];
    const made = make(api, photo, "cup.jpg", undefined, (job) => told.push(job.status));
    await vi.runAllTimersAsync();
    vi.useRealTimers();
    expect((await made).status).toBe("COMPLETED");
    expect(told).toEqual(["RECONSTRUCTING", "COMPLETED"]);
    expect(words).toHaveLength(2);
    expect(new Set(words).size).toBe(1);
  });

  it("is none of what is no photo", async () => {
    const made = make({} as ApiClient, new Blob(["…"]), "cup.txt");
    await expect(made).rejects.toMatchObject({ name: "UnsupportedImage" });
  });
});

describe("a form without XMLHttpRequest", () => {
  it.each([
    [204, null],
    [403, "UploadExpired"],
    [400, "UploadFailed"],
    [0, "UploadFailed"],
  ])("answers %s with %s", async (status, name) => {
    vi.stubGlobal("XMLHttpRequest", undefined);
    vi.stubGlobal("fetch", async () => {
      if (status === 0) throw new TypeError("offline");
      return new Response(null, { status });
    });
    const sent = postForm(form, photo, () => undefined);
    if (name === null) await sent;
    else await expect(sent).rejects.toMatchObject({ name, status });
  });
});
