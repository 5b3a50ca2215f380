/** Which GPU there is, and what was found of it. */

import { createStore, get, set } from "idb-keyval";
import type { Decoded } from "../selection/prompt";
import { openGpu } from "./gpu";
import type { Feeds, Runtime } from "./runtime";
import { type Choices, trial } from "./trial";

/** Of onnxruntime-web, as package.json has it: another may be quicker, or right. */
const RUNTIME = "1.30.0";

/** Try the browser's GPU for a decoder, by its name, its file and its inputs that stay; see `trial`. */
export async function tryGpu(
  decoder: string,
  model: ArrayBuffer,
  photo: Feeds,
  ...answered: [wasm: Runtime, prompt: Feeds, expected: Decoded]
): Promise<Runtime | null> {
  const name = await gpuName();
  if (name === null) return null;
  const gpu = { choices: choicesFor(decoder, name), open: () => openGpu(model, photo) };
  return trial(gpu, ...answered);
}

/**
 * The name of the browser's GPU; null where there is none, or only a processor that stands in for one.
 * Its runtime suspends WebAssembly while it waits (JSPI), so that a browser has to have this, too.
 */
async function gpuName(): Promise<string | null> {
  if (!("Suspending" in WebAssembly)) return null;
  const adapter = await navigator.gpu?.requestAdapter().catch(() => null);
  if (!adapter || adapter.info.isFallbackAdapter) return null;
  return `${adapter.info.vendor} ${adapter.info.architecture}`;
}

/** What trials of a decoder on a GPU have found, kept in the browser. */
function choicesFor(decoder: string, gpu: string): Choices {
  const key = `${decoder}, ${gpu}, ${RUNTIME}`;
  const kept = () => createStore("gen3d-processors", "chosen");
  return {
    // A browser that keeps nothing tries again at each visit.
    read: async () => get<"gpu" | "wasm">(key, kept()).catch(() => undefined),
    write: async (choice) => set(key, choice, kept()).catch(() => undefined),
  };
}
