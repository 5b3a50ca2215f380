import { afterEach, describe, expect, it, vi } from "vitest";
import { loadConfig, parseConfig } from "../src/config/config";

const outputs = {
  region: "eu-west-1",
  engine: "lite",
  apiUrl: "https://api/",
  userPoolId: "p",
  userPoolClientId: "c",
  bucket: "b",
};

describe("parseConfig", () => {
  it("takes the stack's outputs, with or without a local endpoint", () => {
    expect(parseConfig(outputs).apiUrl).toBe("https://api");
    expect(parseConfig({ ...outputs, endpoint: "http://localhost:20005" }).endpoint).toBeDefined();
  });

  it("offers accounts unless they are refused", () => {
    expect(parseConfig(outputs).selfSignUp).toBe(true);
    expect(parseConfig({ ...outputs, selfSignUp: true }).selfSignUp).toBe(true);
    expect(parseConfig({ ...outputs, selfSignUp: false }).selfSignUp).toBe(false);
  });

  it("names what is missing", () => {
    expect(() => parseConfig({ ...outputs, bucket: "" })).toThrow(/"bucket"/);
    expect(() => parseConfig(null)).toThrow(/"region"/);
  });
});

describe("loadConfig", () => {
  afterEach(() => void vi.unstubAllGlobals());

  it("says so where the server cannot be reached", async () => {
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("Failed to fetch")));
    await expect(loadConfig()).rejects.toMatchObject({ name: "Offline", transient: true });
  });
});
