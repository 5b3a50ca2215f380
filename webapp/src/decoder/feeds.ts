/** From a prompt to the tensors that a decoder declares. */

import { type Logits, resample } from "../selection/mask";
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
  const points = labelledPoints(prompt, readsBoxes(inputs.get("point_labels")));
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
  const mask = inputs.get("mask_input");
  if (mask) {
    const [height, width] = mask.shape
      .slice(-2)
      .map((side) => (typeof side === "number" ? side : 0));
    const fitting =
      previous && resample(previous, width || previous.width, height || previous.height);
    const dims = fitting ? [1, 1, fitting.height, fitting.width] : [1, 1, height || 1, width || 1];
    const size = dims.reduce((product, side) => product * side, 1);
    put("mask_input", dims, fitting?.data ?? new Float32Array(size));
  }
  put("has_mask_input", [1], [previous ? 1 : 0]);
  return feeds;
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
    points.push(...boxAsClicks(box));
  }
  for (const { x, y, label } of clicks) points.push([x, y, label]);
  return points;
}

/** A box for a decoder that knows clicks alone: its middle is the object, beyond its sides is not. */
function boxAsClicks({ x0, y0, x1, y1 }: NonNullable<Prompt["box"]>): LabelledPoint[] {
  const x = (x0 + x1) / 2;
  const y = (y0 + y1) / 2;
  const dx = (x1 - x0) * 0.06;
  const dy = (y1 - y0) * 0.06;
  return [
    [x, y, 1],
    [x0 - dx, y, 0],
    [x1 + dx, y, 0],
    [x, y0 - dy, 0],
    [x, y1 + dy, 0],
  ];
}
