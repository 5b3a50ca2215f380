/** What the embeddings file says of itself, checked against the decoder it is to be used with. */

import { LOGIT_STEPS, LOGIT_ZERO } from "../api/domain";
import type { Decoded } from "../selection/prompt";
import { DecoderError } from "./failure";
import type { SafeTensors } from "./safetensors";
import { convert } from "./tensors";

/** The contracts that this client reads: the newest, and those before it. */
const CONTRACTS = ["2", "1"];

export interface EmbeddingsMeta {
  readonly engine: string;
  readonly revision: string;
  /** The frame of the decoder's points; a photo's x maps to `x · inputWidth / imageWidth`. */
  readonly inputWidth: number;
  readonly inputHeight: number;
  readonly imageWidth: number;
  readonly imageHeight: number;
  /** The mask for unambiguous prompts; null where the best score always wins. */
  readonly singleMaskIndex: number | null;
  /** What was found is this, where the job's text itself found nothing; else empty. */
  readonly foundText: string;
}

/**
 * Read the metadata.
 *
 * @throws Error where it is of another contract, or not of the decoder's engine and revision.
 */
export function readMeta(
  { metadata }: SafeTensors,
  decoder: { engine: string; revision: string },
): EmbeddingsMeta {
  if (!CONTRACTS.includes(metadata.contract ?? "")) {
    throw new DecoderError(
      "PreparedElsewhere",
      `The photo was prepared by another version (contract ${metadata.contract ?? "unknown"}, ` +
        `this page reads ${CONTRACTS[0]}). Reload the page; if that does not help, start a new job.`,
    );
  }
  if (metadata.engine !== decoder.engine || metadata.revision !== decoder.revision) {
    throw new DecoderError(
      "PreparedElsewhere",
      `The photo was prepared by ${metadata.engine} ${metadata.revision}, the decoder is ` +
        `${decoder.engine} ${decoder.revision}. They do not fit; start a new job with this photo.`,
    );
  }
  const single = metadata.single_mask_index ?? "";
  return {
    engine: decoder.engine,
    revision: decoder.revision,
    inputWidth: pixels(metadata, "input_width"),
    inputHeight: pixels(metadata, "input_height"),
    imageWidth: pixels(metadata, "image_width"),
    imageHeight: pixels(metadata, "image_height"),
    singleMaskIndex: single === "" ? null : Number(single),
    foundText: metadata.found_text ?? "",
  };
}

/** Logits of a mask that says only yes or no, as photos were prepared before there were others. */
const CERTAIN = 6;

/** The masks that were found by the job's text, each as an answer of one mask; none without one. */
export function readFound({ tensors }: SafeTensors): Decoded[] {
  const logits = tensors.get("candidate_logits");
  const masks = logits ?? tensors.get("candidate_masks");
  const scores = tensors.get("candidate_scores");
  if (!masks || !scores) return [];
  const [count = 0, height = 0, width = 0] = masks.shape;
  const certainty = convert(scores, "float32");
  const logit = logits
    ? // A byte is its step's upper end; the middle is nearer to what was rounded.
      (byte: number) => (byte - LOGIT_ZERO - 0.5) / LOGIT_STEPS
    : (inside: number) => (inside ? CERTAIN : -CERTAIN);
  return Array.from({ length: count }, (_, index) => {
    const mask = masks.bytes.subarray(index * height * width, (index + 1) * height * width);
    return {
      masks: Float32Array.from(mask, logit),
      width,
      height,
      scores: [Number(certainty[index])],
    };
  });
}

function pixels(metadata: Readonly<Record<string, string>>, name: string): number {
  const value = Number(metadata[name]);
  if (!(value > 0))
    throw new DecoderError(
      "PreparedDamaged",
      `The prepared photo lacks its ${name}. Start a new job.`,
    );
  return value;
}
