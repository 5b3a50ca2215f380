import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { download } from "../src/api/download";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** A server that sends a byte whenever it is told to, and heeds an abort as fetch does. */
function slow() {
  let send: (() => void) | undefined;
  vi.stubGlobal("fetch", async (_: string, { signal }: { signal: AbortSignal }) => {
    const body = new ReadableStream({
      start(controller) {
        send = () => controller.enqueue(new Uint8Array(1));
        signal.addEventListener("abort", () => controller.error(signal.reason));
      },
    });
    return new Response(body, { headers: { "Content-Length": "3" } });
  });
  return () => send?.();
}

describe("a download", () => {
  it("that stands still is given up, however far it has come", async () => {
    const send = slow();
    const told = vi.fn();
    const refused = expect(download("/file", told)).rejects.toMatchObject({ status: 0 });
    for (let second = 0; second < 3; second++) {
      await vi.advanceTimersByTimeAsync(20_000);
      send();
    }
    await vi.advanceTimersByTimeAsync(29_000);
    expect(told.mock.calls).toEqual([
      [1, 3],
      [2, 3],
      [3, 3],
    ]);
    await vi.advanceTimersByTimeAsync(2000);
    await refused;
  });

  it.each([
    ["is compressed on its way", { "Content-Length": "2", "Content-Encoding": "gzip" }],
    ["comes to more than was said", { "Content-Length": "2" }],
    ["has no length", {}],
  ])("that %s says how much has come, and not of how much", async (_, headers) => {
    vi.stubGlobal("fetch", async () => new Response("more", { headers: headers as HeadersInit }));
    const told = vi.fn();
    await download("/file", told);
    expect(told.mock.calls).toEqual([[4, null]]);
  });

  it("that is refused says with what", async () => {
    vi.stubGlobal("fetch", async () => new Response(null, { status: 403 }));
    await expect(download("/file")).rejects.toMatchObject({ name: "DownloadError", status: 403 });
  });
});
