import type { Logits, Size } from "../selection/mask";
import type { Decoded, Prompt } from "../selection/prompt";
import type { Stroke } from "../selection/selection";
import { DecoderError } from "./failure";
import type { OnProgress } from "./files";
import type { FromWorker, Kind, Opened, Requests, Source, ToWorker } from "./protocol";

/** Threads for the runtime: several only where the page is isolated, and never all of them. */
export function usableThreads(): number {
  if (!self.crossOriginIsolated) return 1;
  return Math.max(1, Math.min(4, navigator.hardwareConcurrency ?? 1));
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** The decoder's worker, as promises. */
export class Decoder {
  private readonly worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  private readonly waiting = new Map<number, Waiting>();
  private lastId = 0;
  /** Why nothing is answered any more, once that is so. */
  private end: Error | null = null;

  constructor(private readonly onProgress: OnProgress = () => undefined) {
    this.worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.receive(data);
    this.worker.onerror = (event) => {
      event.preventDefault();
      this.fail("The selection tool stopped working. Reload the page; your clicks are kept.");
    };
  }

  /** Load everything. What fails is closed: the other file may still be on its way. */
  async open(source: Omit<Source, "threads">, threads = usableThreads()): Promise<Opened> {
    try {
      return await this.ask("open", { ...source, threads });
    } catch (error) {
      this.close();
      throw error;
    }
  }

  decode(prompt: Prompt, previous: Logits | null): Promise<Decoded> {
    return this.ask("decode", { prompt, previous: previous && alone(previous) });
  }

  async png(logits: Logits | null, strokes: readonly Stroke[], photo: Size): Promise<Blob> {
    const file = await this.ask("png", { logits: logits && alone(logits), strokes, photo });
    return new Blob([file], { type: "image/png" });
  }

  close(): void {
    this.worker.terminate();
    this.worker.onmessage = null;
    this.fail("The selection tool was closed. Reload the page; your clicks are kept.");
  }

  private ask<K extends Kind>(
    kind: K,
    payload: Requests[K]["send"],
  ): Promise<Requests[K]["answer"]> {
    if (this.end) return Promise.reject(this.end);
    const id = ++this.lastId;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve: resolve as Waiting["resolve"], reject });
      this.worker.postMessage({ id, kind, payload } as ToWorker);
    });
  }

  private receive(message: FromWorker): void {
    if (!("id" in message)) {
      this.onProgress(message.loaded, message.total);
      return;
    }
    const waiting = this.waiting.get(message.id);
    this.waiting.delete(message.id);
    if ("error" in message) waiting?.reject(Object.assign(new Error(), message.error));
    else waiting?.resolve(message.result);
  }

  private fail(why: string): void {
    // A worker that has stopped would let whoever asks it wait for ever.
    this.end ??= new DecoderError("DecoderStopped", why);
    for (const { reject } of this.waiting.values()) reject(this.end);
    this.waiting.clear();
  }
}

/** A message takes along the whole buffer that an array looks into; this one holds a mask only. */
function alone(logits: Logits): Logits {
  return { ...logits, data: logits.data.slice() };
}
