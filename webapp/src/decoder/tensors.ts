/** Tensors between the embeddings file's types and the decoder's. */

import { DecoderError } from "./failure";
import type { SafeTensor } from "./safetensors";

/** What a decoder may declare for an input. */
export type OnnxType = "float32" | "float16" | "int32" | "int64" | "uint8";

export type TensorData = Float32Array | Uint16Array | Int32Array | BigInt64Array | Uint8Array;

/** Half to single precision, from the bits (IEEE 754 binary16). */
export function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** Single to half precision, to the nearest, ties to even. */
export function floatToHalf(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (size >= 65520) return sign | 0x7c00;
  const exponent = Math.max(Math.floor(Math.log2(size || 2 ** -24)), -14);
  const steps = size / 2 ** (exponent - 10);
  const floor = Math.floor(steps);
  const rest = steps - floor;
  const rounded = floor + (rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? 1 : 0);
  // A carry out of the fraction lands in the exponent, which is what it should do.
  return sign | (exponent === -14 ? rounded : rounded + ((exponent + 14) << 10));
}

/**
 * A tensor of the file in the type that the decoder declares.
 *
 * @throws Error where one of them is of bytes, which mean nothing without the scale beside them.
 */
export function convert(tensor: SafeTensor, type: OnnxType): TensorData {
  const { bytes, dtype } = tensor;
  if ((dtype === "U8") !== (type === "uint8")) {
    throw new DecoderError(
      "PreparedElsewhere",
      "The photo was prepared in another precision than the decoder reads. Start a new job.",
    );
  }
  if (dtype === "U8") return bytes;
  if (dtype === "F16" && type === "float16") return new Uint16Array(aligned(bytes));
  const values = dtype === "F32" ? new Float32Array(aligned(bytes)) : widen(tensor);
  return fill(values, type);
}

/**
 * What bytes stand for: `byte · scale + offset`, one of each a channel. With a basis [g, w, w] the
 * bytes are components, [g · w, n]; each group's rows [n, w] times its basis are g · w channels' values,
 * [1, n, g · w].
 */
export function restore(
  { bytes, shape }: SafeTensor,
  scale: SafeTensor,
  offset: SafeTensor,
  basis?: SafeTensor,
): { values: Float32Array; shape: readonly number[] } {
  const steps = new Float32Array(aligned(scale.bytes));
  const starts = new Float32Array(aligned(offset.bytes));
  const apart = bytes.length / steps.length;
  if (basis) {
    const turns = new Float32Array(aligned(basis.bytes));
    const values = turned(bytes, steps, starts, turns, basis.shape[1] ?? 1);
    return { values, shape: [1, apart, steps.length] };
  }
  const values = new Float32Array(bytes.length);
  for (let channel = 0, i = 0; channel < steps.length; channel++) {
    const step = steps[channel] as number;
    const start = starts[channel] as number;
    for (const end = i + apart; i < end; i++) values[i] = (bytes[i] as number) * step + start;
  }
  return { values, shape };
}

/** Row by row, as all that a row is made of fits into a processor's nearest memory. */
function turned(
  bytes: Uint8Array,
  steps: Float32Array,
  starts: Float32Array,
  basis: Float32Array,
  width: number,
): Float32Array {
  const channels = steps.length;
  const rows = bytes.length / channels;
  const values = new Float32Array(bytes.length);
  const parts = new Float32Array(width);
  const sums = new Float32Array(width);
  for (let first = 0; first < channels; first += width) {
    const turn = basis.subarray(first * width, (first + width) * width);
    for (let row = 0; row < rows; row++) {
      for (let i = 0; i < width; i++) {
        const at = first + i;
        parts[i] =
          (bytes[at * rows + row] as number) * (steps[at] as number) + (starts[at] as number);
      }
      sums.fill(0);
      for (let i = 0; i < width; i++) {
        const part = parts[i] as number;
        const from = i * width;
        for (let j = 0; j < width; j++) {
          sums[j] = (sums[j] as number) + part * (turn[from + j] as number);
        }
      }
      values.set(sums, row * channels + first);
    }
  }
  return values;
}

/** Numbers in the type that the decoder declares. */
export function fill(values: ArrayLike<number>, type: OnnxType): TensorData {
  switch (type) {
    case "float32":
      return values instanceof Float32Array ? values : Float32Array.from(values);
    case "float16":
      return Uint16Array.from(values, floatToHalf);
    case "int32":
      return Int32Array.from(values);
    case "int64":
      return BigInt64Array.from(Array.from(values, (value) => BigInt(Math.round(value))));
    case "uint8":
      return Uint8Array.from(values);
  }
}

function widen({ bytes, dtype }: SafeTensor): ArrayLike<number> {
  if (dtype === "F16") return Float32Array.from(new Uint16Array(aligned(bytes)), halfToFloat);
  if (dtype === "I32") return new Int32Array(aligned(bytes));
  return bytes;
}

/** The bytes in a buffer of their own, where any element may start. */
function aligned(bytes: Uint8Array): ArrayBuffer {
  return bytes.slice().buffer as ArrayBuffer;
}
