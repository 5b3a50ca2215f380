/** From a selected object to what the decoder is asked, and from its answer to one mask. */

import { type Logits, resample } from "./mask";
import { type Box, type Click, isPrompted, type SelectedObject } from "./selection";

/** What the decoder goes by. */
export interface Prompt {
  readonly clicks: readonly Click[];
  readonly box: Box | null;
  /** The mask to begin with, of those that were found by a text. */
  readonly found: number | null;
}

/** The decoder's answer: `scores.length` masks in one array. */
export interface Decoded {
  readonly masks: Float32Array;
  readonly width: number;
  readonly height: number;
  readonly scores: readonly number[];
}

/** Names a prompt; equal prompts have equal keys. */
export function promptKey({ clicks, box, found }: Prompt): string {
  const points = clicks.map(({ x, y, label }) => `${label}:${x.toFixed(2)},${y.toFixed(2)}`);
  const corners = box ? [box.x0, box.y0, box.x1, box.y1].map((v) => v.toFixed(2)).join(",") : "";
  return `${found ?? ""}|${corners}|${points.join(" ")}`;
}

/** The prompts that came before this one by a click each, the longest first. */
export function ancestors({ clicks, box, found }: Prompt): Prompt[] {
  const shorter: Prompt[] = [];
  for (let length = clicks.length - 1; length >= 0; length--) {
    if (length > 0 || box) shorter.push({ clicks: clicks.slice(0, length), box, found });
  }
  if (found !== null) shorter.push({ clicks: [], box: null, found });
  return shorter;
}

/** Whether the prompt is a mask that was found by a text, as it was found. */
export function isFound({ clicks, box, found }: Prompt): boolean {
  return found !== null && clicks.length === 0 && box === null;
}

export function promptOf(object: SelectedObject): Prompt | null {
  const { clicks, box, found } = object;
  return isPrompted(object) ? { clicks, box, found } : null;
}

/**
 * Which mask to propose.
 *
 * @param singleMaskIndex SAM's rule: one click is ambiguous, so the best of the *other* masks is
 *   taken; a box or several clicks are not, so this one is, unless its edge is unsure. Null: the
 *   best score always wins.
 */
export function proposed(decoded: Decoded, prompt: Prompt, singleMaskIndex: number | null): number {
  const ambiguous = prompt.clicks.length === 1 && prompt.box === null;
  if (singleMaskIndex !== null && !ambiguous && isSure(maskAt(decoded, singleMaskIndex))) {
    return singleMaskIndex;
  }
  return candidates(decoded, singleMaskIndex).reduce((best, index) =>
    (decoded.scores[index] ?? 0) > (decoded.scores[best] ?? 0) ? index : best,
  );
}

/** How far a logit may be off, and how much of a mask has to stay: SAM's own figures. */
const UNSURE = 0.05;
const STAYING = 0.98;

/** Whether a mask hardly changes with the threshold ("stability score"). */
function isSure({ data }: Logits): boolean {
  let certain = 0;
  let possible = 0;
  for (const logit of data) {
    if (logit > UNSURE) certain += 1;
    if (logit > -UNSURE) possible += 1;
  }
  return certain >= STAYING * possible;
}

/** The masks worth offering: all but the one for unambiguous prompts. */
export function candidates(decoded: Decoded, singleMaskIndex: number | null): number[] {
  const all = decoded.scores.map((_, index) => index);
  const offered = all.filter((index) => index !== singleMaskIndex);
  return offered.length > 0 ? offered : all;
}

/** An answer of one of another's masks alone, in memory of its own. */
export function only(decoded: Decoded, index: number): Decoded {
  const { data, width, height } = maskAt(decoded, index);
  return { masks: data.slice(), width, height, scores: [decoded.scores[index] ?? 0] };
}

/** Which of an answer's masks is the most like another decoder's: the largest share in common. */
export function nearest(decoded: Decoded, mask: Logits): number {
  const wanted = resample(mask, decoded.width, decoded.height).data;
  const shares = decoded.scores.map((_, index) => overlap(maskAt(decoded, index).data, wanted));
  return shares.indexOf(Math.max(...shares));
}

/** How much of two runtimes' masks has to agree, and how far their scores may be apart. */
const SAME_MASK = 0.99;
const SAME_SCORE = 0.02;

/** Whether two answers to a prompt are one, to what two processors' rounding may do. */
export function sameMasks(a: Decoded, b: Decoded): boolean {
  if (a.masks.length !== b.masks.length || a.scores.length !== b.scores.length) return false;
  return a.scores.every((score, index) => {
    const apart = Math.abs(score - (b.scores[index] as number));
    const shared = overlap(maskAt(a, index).data, maskAt(b, index).data);
    return apart <= SAME_SCORE && shared >= SAME_MASK;
  });
}

/** Intersection over union of what is positive; 1 of two that are empty. */
function overlap(a: Float32Array, b: Float32Array): number {
  let both = 0;
  let either = 0;
  for (let i = 0; i < a.length; i++) {
    const inA = (a[i] as number) > 0;
    const inB = (b[i] as number) > 0;
    if (inA && inB) both += 1;
    if (inA || inB) either += 1;
  }
  return either === 0 ? 1 : both / either;
}

/** One of the masks of an answer. */
export function maskAt(decoded: Decoded, index: number): Logits {
  const pixels = decoded.width * decoded.height;
  return {
    data: decoded.masks.subarray(index * pixels, (index + 1) * pixels),
    width: decoded.width,
    height: decoded.height,
  };
}
