/** From a prompt to the tensors that a decoder declares. */

import { type Logits, resample } from "../selection/mask";
import type { Box } from "../selection/model";
import type { Prompt } from "../selection/prompt";
import type { EmbeddingsMeta } from "./embeddings";
import type { SafeTensors } from "./safetensors";
import { convert, fill, type OnnxType, type TensorData } from "./tensors";

/** An input as the decoder declares it; a free side is a name instead of a number. */
export interface Declared {
  readonly name: string;
  readonly type: OnnxType;
  readonly shape: readonly (number | string)[];
}

export interface Feed {
  readonly type: OnnxType;
  readonly dims: readonly number[];
  readonly data: TensorData;
}

/** Logits of a first guess: likely within a box, hardly beyond it. */
const INSIDE = 2;
const OUTSIDE = -6;

/** x, y in photo pixels and a label: 1 object, 0 background, 2 and 3 a box's corners. */
type LabelledPoint = readonly [x: number, y: number, label: number];

/**
 * The embeddings of a photo as a decoder wants them: the same for every prompt.
 *
 * @throws Error where the decoder declares an input that nobody can give.
 */
export function embeddingFeeds(
  declared: readonly Declared[],
  file: SafeTensors,
): Record<string, Feed> {
  const feeds: Record<string, Feed> = {};
  for (const { name, type } of declared) {
    if (PROMPT_INPUTS.has(name)) continue;
    const tensor = file.tensors.get(name);
    if (!tensor) {
      throw new Error(
        `The decoder wants "${name}", which the prepared photo lacks. Start a new job.`,
      );
    }
    feeds[name] = { type, dims: tensor.shape, data: convert(tensor, type) };
  }
  return feeds;
}

const PROMPT_INPUTS = new Set(["point_coords", "point_labels", "mask_input", "has_mask_input"]);

/** The prompt as a decoder wants it. Never padded: points that are not there change the mask. */
export function promptFeeds(
  declared: readonly Declared[],
  meta: EmbeddingsMeta,
  prompt: Prompt,
  previous: Logits | null,
): Record<string, Feed> {
  const inputs = new Map(declared.map((input) => [input.name, input]));
  const boxes = readsBoxes(inputs.get("point_labels"));
  const points = labelledPoints(prompt, boxes);
  const scaleX = meta.inputWidth / meta.imageWidth;
  const scaleY = meta.inputHeight / meta.imageHeight;
  const feeds: Record<string, Feed> = {};
  const put = (name: string, dims: readonly number[], values: ArrayLike<number>) => {
    const input = inputs.get(name);
    if (input) feeds[name] = { type: input.type, dims, data: fill(values, input.type) };
  };
  put(
    "point_coords",
    [1, points.length, 2],
    points.flatMap(([x, y]) => [x * scaleX, y * scaleY]),
  );
  put(
    "point_labels",
    [1, points.length],
    points.map(([, , label]) => label),
  );
  const [height, width] = maskSides(inputs.get("mask_input"), previous);
  const guess = previous
    ? resample(previous, width, height).data
    : prompt.box && !boxes && boxAsMask(prompt.box, meta, width, height);
  put("mask_input", [1, 1, height, width], guess || new Float32Array(width * height));
  put("has_mask_input", [1], [guess ? 1 : 0]);
  return feeds;
}

/** Height and width of the mask that the decoder takes; where it leaves them free, the last one's. */
function maskSides(mask: Declared | undefined, previous: Logits | null): [number, number] {
  const [height, width] = mask?.shape.slice(-2) ?? [];
  return [
    typeof height === "number" ? height : (previous?.height ?? 1),
    typeof width === "number" ? width : (previous?.width ?? 1),
  ];
}

/** Whole-number labels are kinds of points, among them corners; fractions only say how much. */
function readsBoxes(labels: Declared | undefined): boolean {
  return labels?.type === "int32" || labels?.type === "int64";
}

function labelledPoints({ clicks, box }: Prompt, boxes: boolean): LabelledPoint[] {
  const points: LabelledPoint[] = [];
  if (box && boxes) {
    points.push([box.x0, box.y0, 2], [box.x1, box.y1, 3]);
  } else if (box) {
    points.push([(box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2, 1]);
  }
  for (const { x, y, label } of clicks) points.push([x, y, label]);
  return points;
}

/** A box for a decoder that knows clicks alone: the first guess is all that lies within. */
function boxAsMask(box: Box, meta: EmbeddingsMeta, width: number, height: number): Float32Array {
  const mask = new Float32Array(width * height).fill(OUTSIDE);
  const left = Math.round((box.x0 / meta.imageWidth) * width);
  const right = Math.round((box.x1 / meta.imageWidth) * width);
  const top = Math.round((box.y0 / meta.imageHeight) * height);
  const bottom = Math.round((box.y1 / meta.imageHeight) * height);
  for (let y = top; y < bottom; y++) mask.fill(INSIDE, y * width + left, y * width + right);
  return mask;
}
