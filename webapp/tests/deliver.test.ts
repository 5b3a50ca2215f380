import { beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError } from "../src/api/error";
import type { JobView } from "../src/api/types";
import { dropAll, type KeptPhoto, keep, kept } from "../src/kept/kept";
import { deliver } from "../src/photo/deliver";

const values = vi.hoisted(() => new Map<string, unknown>());

vi.mock("idb-keyval", () => ({
  get: async (key: string) => values.get(key),
  set: async (key: string, value: unknown) => void values.set(key, value),
  del: async (key: string) => void values.delete(key),
  clear: async () => values.clear(),
}));

const job = {
  jobId: "J1",
  filename: "cup.png",
  contentType: "image/png",
  status: "CREATED",
} as JobView;
const form = { url: "https://bucket", fields: { key: "k" } };
const MINUTE = 60_000;
const missing = new ApiError("ImageMissing", "The photo is not there.", 422);
const expired = new ApiError("UploadExpired", "The permission has ended.", 403);

const api = {
  createJob: vi.fn(),
  deleteJob: vi.fn(),
  initialize: vi.fn(),
  upload: vi.fn(),
};
const tell = { photo: vi.fn(), progress: vi.fn() };
const delivered = () => deliver(api, job, tell);

function keepPhoto(fields: Partial<KeptPhoto> = {}): Promise<boolean> {
  const blob = new Blob(["photo"], { type: "image/png" });
  return keep("photo", "J1", {
    blob,
    text: "cup",
    form,
    at: Date.now(),
    uploaded: false,
    ...fields,
  });
}

beforeEach(async () => {
  await dropAll();
  for (const mock of Object.values(api)) mock.mockReset().mockResolvedValue(undefined);
  api.createJob.mockResolvedValue({ jobId: "J2", upload: form });
  api.initialize.mockResolvedValue({ ...job, status: "INITIALIZING" });
});

describe("a photo that is brought to its job", () => {
  it("goes up by the job's form, is initialized, and stays kept until the record says so", async () => {
    await keepPhoto();
    expect(await delivered()).toMatchObject({ begun: { status: "INITIALIZING" } });
    expect(api.upload).toHaveBeenCalledWith(form, expect.any(Blob), tell.progress);
    expect(api.initialize).toHaveBeenCalledWith("J1", "cup");
    expect((await kept("photo", "J1"))?.uploaded).toBe(true);
  });

  it("is followed by its depth map, which goes by a form of its own", async () => {
    const depth = { blob: new Blob(["depth"]), form: { url: "https://bucket", fields: {} } };
    await keepPhoto({ depth });
    await delivered();
    const sent = api.upload.mock.calls.map(([to, blob]) => [to, blob.size]);
    expect(sent).toEqual([
      [form, 5],
      [depth.form, depth.blob.size],
    ]);
  });

  it("takes its depth map along to another job", async () => {
    const depth = { blob: new Blob(["depth"]), form: { url: "https://bucket", fields: {} } };
    const anew = { url: "https://bucket", fields: { key: "anew" } };
    api.createJob.mockResolvedValue({ jobId: "J2", upload: form, depth: anew });
    await keepPhoto({ depth, at: Date.now() - 60 * MINUTE });
    expect(await delivered()).toEqual({ instead: "J2" });
    expect(api.createJob).toHaveBeenCalledWith("cup.png", "image/png", { depth: true });
    expect((await kept("photo", "J2"))?.depth).toEqual({ blob: depth.blob, form: anew });
  });

  it("does not go up twice where only the start was lost", async () => {
    await keepPhoto({ uploaded: true });
    expect(await delivered()).toHaveProperty("begun");
    expect(api.upload).not.toHaveBeenCalled();
  });

  it("goes up again where the server does not have it after all", async () => {
    await keepPhoto({ uploaded: true });
    api.initialize.mockRejectedValueOnce(missing);
    await expect(delivered()).rejects.toBe(missing);
    await delivered();
    expect(api.upload).toHaveBeenCalledOnce();
  });

  it("is initialized from another browser, which does not have it", async () => {
    expect(await delivered()).toHaveProperty("begun");
    expect(api.initialize).toHaveBeenCalledWith("J1", null);
    expect(tell.photo).toHaveBeenLastCalledWith(null);
  });

  it("is asked for where neither side has it", async () => {
    api.initialize.mockRejectedValue(missing);
    expect(await delivered()).toEqual({ missing: true });
  });

  it.each([
    ["is too old", { at: Date.now() - 55 * MINUTE }, false],
    ["is unknown to an earlier version of this page", { form: undefined }, false],
    ["is refused for its age", { at: Date.now() - 30 * MINUTE }, true],
  ])("gets a job anew where the form %s", async (_, fields, asked) => {
    await keepPhoto(fields);
    api.upload.mockRejectedValueOnce(expired);
    expect(await delivered()).toEqual({ instead: "J2" });
    expect(api.upload.mock.calls.length > 0).toBe(asked);
    expect(api.createJob).toHaveBeenCalledWith("cup.png", "image/png", {});
    expect(api.deleteJob).toHaveBeenCalledWith("J1");
    expect(await kept("photo", "J1")).toBeUndefined();
    expect(await kept("photo", "J2")).toMatchObject({ text: "cup", form, uploaded: false });
  });

  it("gets no job after job where a new form is refused as well", async () => {
    await keepPhoto();
    api.upload.mockRejectedValueOnce(expired);
    await expect(delivered()).rejects.toBe(expired);
    expect(api.createJob).not.toHaveBeenCalled();
  });

  it("is not lost where no job is to be had in the place of the first", async () => {
    await keepPhoto({ at: 0 });
    const limit = new ApiError("LimitReached", "Ten jobs are running.", 429, 600);
    api.createJob.mockRejectedValue(limit);
    await expect(delivered()).rejects.toBe(limit);
    expect(await kept("photo", "J1")).toBeDefined();
    expect(api.deleteJob).not.toHaveBeenCalled();
  });
});
