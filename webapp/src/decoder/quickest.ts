/**
 * Runs a decoder where it is quickest. WebAssembly stands ready from the first click on; a GPU takes
 * over once a trial has shown that it gives the same masks sooner. When it fails, WebAssembly answers
 * what was asked, and nobody notices.
 */

import { type Decoded, sameMasks } from "../selection/prompt";
import type { Feeds, Runtime } from "./runtime";

/** What a trial found, for as long as the decoder, the adapter and this page's runtime are the same. */
export interface Choices {
  read(): Promise<"gpu" | "wasm" | undefined>;
  write(choice: "gpu" | "wasm"): Promise<void>;
}

/** Decodes of each that are timed. */
const ROUNDS = 3;
/** Milliseconds that the first decode may take, which compiles them, at every visit. */
const FIRST_MS = 5_000;

/** A GPU that a decoder may run on. */
export interface Gpu {
  readonly choices: Choices;
  open(): Promise<Runtime>;
}

export class Quickest implements Runtime {
  private gpu: Runtime | null = null;
  /** Once there was a trial, or one is going on. */
  private tried = false;
  private closed = false;

  /**
   * @param look looks for a GPU; null where there is none.
   */
  constructor(
    private readonly wasm: Runtime,
    private readonly look: () => Promise<Gpu | null>,
  ) {}

  async decode(prompt: Feeds): Promise<Decoded> {
    if (this.gpu) {
      try {
        return await this.gpu.decode(prompt);
      } catch {
        this.gpu.close();
        this.gpu = null;
      }
    }
    const decoded = await this.wasm.decode(prompt);
    if (!this.tried) {
      this.tried = true;
      void this.trial(prompt, decoded);
    }
    return decoded;
  }

  close(): void {
    this.closed = true;
    this.wasm.close();
    this.gpu?.close();
  }

  /** Decode on the GPU what WebAssembly has answered, and take it where it is the same, and sooner. */
  private async trial(prompt: Feeds, expected: Decoded): Promise<void> {
    let gpu: Runtime | null = null;
    try {
      const found = await this.look();
      const chosen = await found?.choices.read();
      if (!found || chosen === "wasm") return;
      gpu = await found.open();
      const start = performance.now();
      const first = await gpu.decode(prompt);
      let fits = performance.now() - start <= FIRST_MS && sameMasks(first, expected);
      if (fits && chosen !== "gpu") fits = await sooner(gpu, this.wasm, prompt);
      await found.choices.write(fits ? "gpu" : "wasm");
      if (fits && !this.closed) {
        this.gpu = gpu;
        return;
      }
    } catch {
      // None for this visit; at the next one it may be well again.
    }
    gpu?.close();
  }
}

/** Whether one answers before the other: the quickest of a few times each, by turns. */
async function sooner(one: Runtime, other: Runtime, prompt: Feeds): Promise<boolean> {
  const times: [number, number] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, runtime] of [one, other].entries()) {
      const start = performance.now();
      await runtime.decode(prompt);
      times[index as 0 | 1] = Math.min(times[index as 0 | 1], performance.now() - start);
    }
  }
  return times[0] < times[1];
}
