/** Whether a GPU decodes as WebAssembly does, and sooner. Loaded after the first click. */

import { type Decoded, sameMasks } from "../selection/prompt";
import type { Feeds, Runtime } from "./runtime";

/** What a trial found, for as long as the decoder, the adapter and this page's runtime are the same. */
export interface Choices {
  read(): Promise<"gpu" | "wasm" | undefined>;
  write(choice: "gpu" | "wasm"): Promise<void>;
}

/** A GPU that a decoder may run on. */
export interface Gpu {
  readonly choices: Choices;
  open(): Promise<Runtime>;
}

/** Decodes of each that are timed. */
const ROUNDS = 3;
/** Milliseconds that the first decode may take, which compiles its kernels, at every visit. */
const FIRST_MS = 5_000;

/**
 * Decode on a GPU what WebAssembly has answered. One that won before only has to give the same masks;
 * one that lost is not opened.
 *
 * @returns the opened GPU, or null where WebAssembly is to go on.
 * @throws Error where it cannot be opened or fails; it is closed then, and may be tried again.
 */
export async function trial(
  { choices, open }: Gpu,
  wasm: Runtime,
  prompt: Feeds,
  expected: Decoded,
): Promise<Runtime | null> {
  const chosen = await choices.read();
  if (chosen === "wasm") return null;
  const gpu = await open();
  let won = false;
  try {
    const start = performance.now();
    const first = await gpu.decode(prompt);
    const fits = performance.now() - start <= FIRST_MS && sameMasks(first, expected);
    won = fits && (chosen === "gpu" || (await sooner(gpu, wasm, prompt)));
    await choices.write(won ? "gpu" : "wasm");
  } finally {
    if (!won) gpu.close();
  }
  return won ? gpu : null;
}

/** Whether one answers before the other: the quickest of a few times each, by turns. */
async function sooner(one: Runtime, other: Runtime, prompt: Feeds): Promise<boolean> {
  let [best, bar] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let round = 0; round < ROUNDS; round++) {
    best = Math.min(best, await time(one, prompt));
    bar = Math.min(bar, await time(other, prompt));
  }
  return best < bar;
}

async function time(runtime: Runtime, prompt: Feeds): Promise<number> {
  const start = performance.now();
  await runtime.decode(prompt);
  return performance.now() - start;
}
