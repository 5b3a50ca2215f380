/** From a prompt to the tensors that a decoder declares. */

import { type Logits, resample } from "../selection/mask";
import type { Prompt } from "../selection/prompt";
import type { EmbeddingsMeta } from "./embeddings";
import { DecoderError } from "./failure";
import type { SafeTensors } from "./safetensors";
import { convert, fill, type OnnxType, restore, type TensorData } from "./tensors";

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
      throw new DecoderError(
        "PreparedElsewhere",
        `The decoder wants "${name}", which the prepared photo lacks. Start a new job.`,
      );
    }
    const scale = file.tensors.get(`${name}_scale`);
    const offset = file.tensors.get(`${name}_offset`);
    if (scale && offset && type !== "uint8") {
      const { values, shape } = restore(tensor, scale, offset, file.tensors.get(`${name}_basis`));
      feeds[name] = { type, dims: shape, data: fill(values, type) };
    } else feeds[name] = { type, dims: tensor.shape, data: convert(tensor, type) };
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
  const points = labelledPoints(prompt);
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
  const mask = previous ? resample(previous, width, height).data : new Float32Array(width * height);
  put("mask_input", [1, 1, height, width], mask);
  put("has_mask_input", [1], [previous ? 1 : 0]);
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

function labelledPoints({ clicks, box }: Prompt): LabelledPoint[] {
  const points: LabelledPoint[] = clicks.map(({ x, y, label }) => [x, y, label]);
  return box ? [[box.x0, box.y0, 2], [box.x1, box.y1, 3], ...points] : points;
}
