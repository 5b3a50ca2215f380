/** Tensors between the embeddings file's types and the decoder's. */

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
    throw new Error(
      "The photo was prepared in another precision than the decoder reads. Start a new job.",
    );
  }
  if (dtype === "U8") return bytes;
  if (dtype === "F16" && type === "float16") return new Uint16Array(aligned(bytes));
  const values = dtype === "F32" ? new Float32Array(aligned(bytes)) : widen(tensor);
  return fill(values, type);
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
