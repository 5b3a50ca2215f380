/**
 * Runs a decoder where it is quickest. WebAssembly stands ready from the first click on; a GPU takes
 * over once a trial was in its favour. When it fails, WebAssembly answers what was asked, and nobody
 * notices.
 */

import type { Decoded } from "../selection/prompt";
import type { Feeds, Runtime } from "./runtime";

export class Quickest implements Runtime {
  private gpu: Runtime | null = null;
  /** Once there was a trial, or one is going on. */
  private tried = false;
  private closed = false;

  /**
   * @param tryGpu gives a GPU that decodes a prompt as WebAssembly has, and sooner; null without one.
   */
  constructor(
    private readonly wasm: Runtime,
    private readonly tryGpu: (prompt: Feeds, expected: Decoded) => Promise<Runtime | null>,
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
      // A copy: whoever asked may hand the masks on to another thread before the trial reads them.
      const expected = { ...decoded, masks: decoded.masks.slice() };
      // Without one for this visit where it cannot be tried; at the next one it may be well again.
      this.tryGpu(prompt, expected).then(
        (gpu) => (this.closed ? gpu?.close() : this.take(gpu)),
        () => undefined,
      );
    }
    return decoded;
  }

  close(): void {
    this.closed = true;
    this.wasm.close();
    this.gpu?.close();
  }

  private take(gpu: Runtime | null): void {
    this.gpu = gpu;
  }
}
