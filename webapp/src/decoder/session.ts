import type { Logits } from "../selection/mask";
import type { Decoded, Prompt } from "../selection/prompt";
import { type EmbeddingsMeta, readFound, readMeta } from "./embeddings";
import { type Declared, embeddingFeeds, promptFeeds } from "./feeds";
import { uncompressed } from "./files";
import { Quickest } from "./quickest";
import type { Runtime } from "./runtime";
import { readSafeTensors } from "./safetensors";
import { openWasm } from "./wasm";

/** A decoder with the embeddings of one photo. */
export class DecoderSession {
  private constructor(
    readonly meta: EmbeddingsMeta,
    readonly found: readonly Decoded[],
    private readonly runtime: Runtime,
    private readonly declared: readonly Declared[],
  ) {}

  /**
   * @throws Error where the two files do not belong together or cannot be read.
   */
  static async open(
    model: ArrayBuffer,
    embeddings: ArrayBuffer,
    decoder: { engine: string; revision: string },
    threads: number,
  ): Promise<DecoderSession> {
    const file = readSafeTensors(await uncompressed(embeddings));
    const meta = readMeta(file, decoder);
    const photo = (declared: readonly Declared[]) => embeddingFeeds(declared, file);
    const wasm = await openWasm(model, photo, threads);
    const name = `${decoder.engine} ${decoder.revision}`;
    const { runtime: inWasm, fixed } = wasm;
    const runtime = new Quickest(inWasm, async (prompt, expected) => {
      // Loaded after the first click, which has no need of it.
      if (!("gpu" in navigator)) return null;
      const { tryGpu } = await import("./adapter");
      return tryGpu(name, model, fixed, inWasm, prompt, expected);
    });
    return new DecoderSession(meta, readFound(file), runtime, wasm.declared);
  }

  decode(prompt: Prompt, previous: Logits | null): Promise<Decoded> {
    return this.runtime.decode(promptFeeds(this.declared, this.meta, prompt, previous));
  }
}
