/** What runs a decoder, wherever it does. */

import type * as Ort from "onnxruntime-web";
import type { Decoded } from "../selection/prompt";
import { DecoderError } from "./failure";
import type { Declared, Feed } from "./feeds";

export type Feeds = Readonly<Record<string, Feed>>;

/** A decoder on some processor. */
export interface Runtime {
  decode(prompt: Feeds): Promise<Decoded>;
  close(): void;
}

/** A decoder's inputs, as its file declares them. */
export function declaredBy(session: Ort.InferenceSession): Declared[] {
  return session.inputMetadata.filter((input) => input.isTensor) as unknown as Declared[];
}

/** The runtime's tensors of feeds; each of its builds has a class of its own. */
export function toTensors(Tensor: typeof Ort.Tensor, feeds: Feeds): Record<string, Ort.Tensor> {
  return Object.fromEntries(
    Object.entries(feeds).map(([name, { type, dims, data }]) => [
      name,
      new Tensor(type, data as never, dims),
    ]),
  );
}

/** @throws Error where the decoder answers no masks. */
export function toDecoded(outputs: Ort.InferenceSession.ReturnType): Decoded {
  const masks = Object.values(outputs).find((tensor) => tensor.dims.length === 4);
  const scores = outputs.iou_scores;
  if (!masks || !scores) {
    throw new DecoderError("DecoderFailed", "The decoder gave no masks. Reload the page.");
  }
  const [, , height, width] = masks.dims as [number, number, number, number];
  return {
    // A copy: the runtime's memory is shared between threads and cannot be handed over.
    masks: Float32Array.from(masks.data as Float32Array),
    width,
    height,
    scores: Array.from(scores.data as Float32Array),
  };
}
