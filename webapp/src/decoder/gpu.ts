/** Decoders on a GPU: the near side of their worker. */

import type { Decoded } from "../selection/prompt";
import type { Feeds, Runtime } from "./runtime";

export type ToGpu =
  | { readonly model: ArrayBuffer; readonly photo: Feeds }
  | { readonly prompt: Feeds };

export type FromGpu =
  | { readonly opened: true }
  | { readonly decoded: Decoded }
  | { readonly error: string };

/** What takes longer is taken for lost: nobody waits so long for a mask. */
const PATIENCE_MS = 10_000;

/**
 * Open a decoder; `photo` are its inputs that are the same for every prompt. It is asked one thing at
 * a time.
 *
 * @throws Error where it cannot be opened. A decode rejects where the device is lost or stands still.
 */
export async function openGpu(model: ArrayBuffer, photo: Feeds): Promise<Runtime> {
  const worker = new Worker(new URL("./gpu-worker.ts", import.meta.url), { type: "module" });
  let failure: Error | null = null;
  let tell: ((message: FromGpu) => void) | null = null;
  const hear = (message: FromGpu) => {
    if ("error" in message) {
      failure ??= new Error(message.error);
      worker.terminate();
    }
    tell?.(message);
  };
  worker.onmessage = ({ data }: MessageEvent<FromGpu>) => hear(data);
  worker.onerror = (event) => {
    event.preventDefault();
    hear({ error: event.message });
  };

  const ask = (request: ToGpu, patience: number) =>
    new Promise<FromGpu>((resolve, reject) => {
      if (failure) {
        reject(failure);
        return;
      }
      const timer = setTimeout(() => hear({ error: "The GPU stands still." }), patience);
      tell = (message) => {
        clearTimeout(timer);
        tell = null;
        if ("error" in message) reject(failure);
        else resolve(message);
      };
      worker.postMessage(request);
    });

  await ask({ model, photo }, LOADING_MS);
  return {
    decode: async (prompt) => {
      const answer = await ask({ prompt }, PATIENCE_MS);
      if ("decoded" in answer) return answer.decoded;
      throw new Error("The GPU answered something else.");
    },
    close: () => worker.terminate(),
  };
}

/** Its runtime is 17 MB; WebAssembly answers meanwhile. */
const LOADING_MS = 120_000;
