import type { Logits } from "../selection/mask";
import type { Decoded, Prompt } from "../selection/prompt";
import { choicesFor, gpuName } from "./adapter";
import { type EmbeddingsMeta, readFound, readMeta } from "./embeddings";
import { type Declared, embeddingFeeds, promptFeeds } from "./feeds";
import { uncompressed } from "./files";
import { openGpu } from "./gpu";
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
    const runtime = new Quickest(wasm.runtime, async () => {
      const gpu = await gpuName();
      if (gpu === null) return null;
      const choices = choicesFor(`${decoder.engine} ${decoder.revision}`, gpu);
      return { choices, open: () => openGpu(model, wasm.fixed) };
    });
    return new DecoderSession(meta, readFound(file), runtime, wasm.declared);
  }

  decode(prompt: Prompt, previous: Logits | null): Promise<Decoded> {
    return this.runtime.decode(promptFeeds(this.declared, this.meta, prompt, previous));
  }
}
