// @vitest-environment happy-dom

import { act } from "react";
import { createRoot } from "react-dom/client";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

/** The state is the app's: each test has an app of its own. */
async function app() {
  vi.resetModules();
  const connection = await import("../src/ui/connection");
  const { ApiError } = await import("../src/api/error");
  return { ...connection, ApiError };
}

let reachable = false;
const fetched = vi.fn(async () => {
  if (!reachable) throw new TypeError("Failed to fetch");
  return new Response("{}");
});

beforeEach(() => {
  vi.useFakeTimers();
  reachable = false;
  fetched.mockClear();
  vi.stubGlobal("fetch", fetched);
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  document.head.replaceChildren();
});

describe("a lost connection", () => {
  it("is looked for ever less often, and what waits goes on when it is back", async () => {
    const { whenFound } = await app();
    const goOn = vi.fn();
    whenFound("the masks", goOn);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(fetched.mock.calls.length).toBeGreaterThan(2);
    expect(fetched.mock.calls.length).toBeLessThan(8);
    expect(goOn).not.toHaveBeenCalled();
    reachable = true;
    await vi.advanceTimersByTimeAsync(31_000);
    expect(goOn).toHaveBeenCalledOnce();
    const looks = fetched.mock.calls.length;
    await vi.advanceTimersByTimeAsync(120_000);
    expect(fetched.mock.calls.length).toBe(looks);
  });

  it("is not over with the answer of another part, and what was given up does not go on", async () => {
    const { watchedFetch, whenFound } = await app();
    await expect(watchedFetch("/api")).rejects.toThrow();
    const [stays, leaves] = [vi.fn(), vi.fn()];
    whenFound("the job", stays);
    whenFound("the gallery", leaves)();
    reachable = true;
    await watchedFetch("/api");
    expect(stays).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(4000);
    expect(stays).toHaveBeenCalledOnce();
    expect(leaves).not.toHaveBeenCalled();
  });

  it("names what waits, each once, and again what fails once more", async () => {
    const { find, isOffline, useConnection, useWaiting, ApiError } = await app();
    const tries = vi.fn();
    const failure = () => new ApiError("Offline", "No answer.", 0);
    expect(isOffline(failure())).toBe(true);
    expect(isOffline(new ApiError("Busy", "Busy.", 503))).toBe(false);
    let seen: unknown;
    function Page({ cause }: { cause: unknown }) {
      useWaiting(cause, "the job", tries);
      useWaiting(cause, "the job");
      seen = useConnection();
      return null;
    }
    const root = createRoot(document.createElement("div"));
    await act(async () => root.render(<Page cause={failure()} />));
    expect(seen).toEqual({ lost: true, waiting: ["the job"] });
    await act(async () => find());
    expect(seen).toEqual({ lost: false, waiting: [] });
    await act(async () => root.render(<Page cause={failure()} />));
    expect(seen).toEqual({ lost: true, waiting: ["the job"] });
    await act(async () => root.unmount());
    find();
    expect(tries).toHaveBeenCalledOnce();
  });
});

describe("a part of the app", () => {
  it("is waited for without a connection, with its styles", async () => {
    const { loaded, watchConnection } = await app();
    watchConnection();
    const link = document.head.appendChild(document.createElement("link"));
    Object.assign(link, { rel: "stylesheet" });
    link.dispatchEvent(new Event("error"));
    const load = vi.fn(async () => {
      if (!reachable) throw new TypeError("Failed to fetch dynamically imported module");
      return "the gallery";
    });
    const part = loaded("the gallery", load);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(load).toHaveBeenCalledOnce();
    reachable = true;
    await vi.advanceTimersByTimeAsync(31_000);
    const again = document.querySelector("link") as HTMLLinkElement;
    expect(again).not.toBe(link);
    again.dispatchEvent(new Event("load"));
    expect(await part).toBe("the gallery");
  });

  it("that is gone is not waited for", async () => {
    const { loaded } = await app();
    reachable = true;
    const gone = async () => {
      throw new TypeError("Failed to fetch dynamically imported module");
    };
    await expect(loaded("the gallery", gone)).rejects.toThrow("dynamically");
  });
});
