import { describe, expect, it, vi } from "vitest";
import { uploadPhoto } from "../src/photo/upload";

const uploadData = vi.hoisted(() => vi.fn());
const storage = vi.hoisted(() => ({ lost: false }));

vi.mock("aws-amplify/storage", () => ({
  get uploadData() {
    // A module that does not load; vitest takes no import that rejects as it stands.
    if (storage.lost) throw new TypeError("Failed to fetch dynamically imported module");
    return uploadData;
  },
}));

const upload = () => uploadPhoto("private/", "image/jpeg", new Blob(["photo"]), () => undefined);

describe("uploadPhoto", () => {
  it.each([
    ["the storage chunk does not load", true],
    ["the upload breaks off", false],
  ])("says that the photo is kept where %s", async (_, lost) => {
    vi.spyOn(console, "warn").mockReturnValue();
    storage.lost = lost;
    uploadData.mockImplementation(() => ({
      result: Promise.reject(new TypeError("Network error")),
    }));
    await expect(upload()).rejects.toMatchObject({
      name: "UploadFailed",
      message: expect.stringContaining("the photo is kept"),
    });
  });

  it("puts the photo into its job's folder", async () => {
    storage.lost = false;
    uploadData.mockImplementation(() => ({ result: Promise.resolve() }));
    await upload();
    expect(uploadData.mock.lastCall?.[0]).toMatchObject({ path: "private/image.jpg" });
  });
});
