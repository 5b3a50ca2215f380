/** What passes between the page and the decoder's worker. */

import type { Logits, Size } from "../selection/mask";
import type { Decoded, Prompt } from "../selection/prompt";
import type { Stroke } from "../selection/selection";
import type { EmbeddingsMeta } from "./embeddings";

export interface Source {
  readonly engine: string;
  readonly revision: string;
  readonly decoderUrl: string;
  readonly embeddingsUrl: string;
  readonly threads: number;
}

/** What the embeddings file holds for the page. */
export interface Opened {
  readonly meta: EmbeddingsMeta;
  /** The masks that were found by the job's text, the best first. */
  readonly found: readonly Decoded[];
}

export interface Requests {
  /** Load the runtime, the decoder and the embeddings. */
  open: { send: Source; answer: Opened };
  decode: { send: { prompt: Prompt; previous: Logits | null }; answer: Decoded };
  /** A mask as an 8-bit grey PNG of the photo's size, white for the object. */
  png: {
    send: { logits: Logits | null; strokes: readonly Stroke[]; photo: Size };
    answer: ArrayBuffer;
  };
}

export type Kind = keyof Requests;

export type ToWorker = { [K in Kind]: { id: number; kind: K; payload: Requests[K]["send"] } }[Kind];

export type FromWorker =
  | { id: number; result: Requests[Kind]["answer"] }
  | { id: number; error: { name: string; message: string } }
  | { loaded: number; total: number | null };
