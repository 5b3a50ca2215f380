import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Decoder } from "../src/decoder/decoder";
import { fetchFiles } from "../src/decoder/files";
import type { FromWorker, ToWorker } from "../src/decoder/protocol";

/** What the page has of a worker. */
class Side {
  static last: Side;
  onmessage: ((event: { data: FromWorker }) => void) | null = null;
  onerror: unknown = null;
  readonly asked: ToWorker[] = [];
  readonly terminate = vi.fn();

  constructor() {
    Side.last = this;
  }

  postMessage(message: ToWorker): void {
    this.asked.push(message);
  }

  says(data: FromWorker): void {
    this.onmessage?.({ data });
  }
}

const source = { engine: "lite", revision: "r", decoderUrl: "/d", embeddingsUrl: "/e" };

afterEach(() => void vi.unstubAllGlobals());

describe("the decoder", () => {
  beforeEach(() => void vi.stubGlobal("Worker", Side));

  it("tells how far its files are, and nothing more once one of them has failed", async () => {
    const progress = vi.fn();
    const opened = new Decoder(progress).open(source, 1);
    const worker = Side.last;
    worker.says({ loaded: 1, total: 10 });
    worker.says({
      id: worker.asked[0]?.id ?? 0,
      error: { name: "PreparedDamaged", message: "broken off" },
    });
    // By its name the page says it in another language.
    await expect(opened).rejects.toMatchObject({ name: "PreparedDamaged", message: "broken off" });
    worker.says({ loaded: 2, total: 10 });
    expect(progress.mock.calls).toEqual([[1, 10]]);
    expect(worker.terminate).toHaveBeenCalledOnce();
  });

  it("goes on working once it is open", async () => {
    const decoder = new Decoder();
    const opened = decoder.open(source, 1);
    const worker = Side.last;
    worker.says({ id: 1, result: { meta: {}, found: [] } as never });
    await opened;
    const file = decoder.png(null, [], { width: 1, height: 1 });
    worker.says({ id: 2, result: new ArrayBuffer(3) });
    expect((await file).size).toBe(3);
    expect(worker.terminate).not.toHaveBeenCalled();
  });
});

describe("fetchFiles", () => {
  const files = () => fetchFiles([{ url: "https://b/e", keep: false }], () => undefined);
  const answering = (fetcher: () => Promise<Response>) => vi.stubGlobal("fetch", fetcher);

  it("says to check the connection where there is none", async () => {
    answering(() => Promise.reject(new TypeError("Failed to fetch")));
    await expect(files()).rejects.toThrow(/Check the connection/);
  });

  it("says to check the connection where it breaks off in the middle of a file", async () => {
    const body = new ReadableStream({
      start: (controller) => controller.enqueue(new Uint8Array(10)),
      pull: (controller) => controller.error(new TypeError("network error")),
    });
    answering(async () => new Response(body, { headers: { "Content-Length": "20" } }));
    await expect(files()).rejects.toThrow(/Check the connection/);
  });

  it("gives whole files", async () => {
    answering(async () => new Response(new Uint8Array(10)));
    expect((await files())[0]?.byteLength).toBe(10);
  });
});
