/**
 * Reader for the safetensors format: an 8-byte little-endian length, a JSON header, then the
 * tensors' bytes.
 */

import { DecoderError } from "./failure";

export type SafeDtype = "F32" | "F16" | "U8" | "I32";

export interface SafeTensor {
  readonly dtype: SafeDtype;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

export interface SafeTensors {
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: ReadonlyMap<string, SafeTensor>;
}

const ELEMENT_BYTES: Record<SafeDtype, number> = { F32: 4, F16: 2, U8: 1, I32: 4 };

/**
 * Take a file apart without copying its tensors.
 *
 * @throws Error where the file is cut off, or says what it does not hold.
 */
export function readSafeTensors(file: ArrayBuffer): SafeTensors {
  if (file.byteLength < 8) throw damaged("it is too short");
  const length = Number(new DataView(file).getBigUint64(0, true));
  if (length > file.byteLength - 8) throw damaged("its header is cut off");
  const header = parseHeader(new Uint8Array(file, 8, length));
  const { __metadata__, ...entries } = header;
  const tensors = new Map<string, SafeTensor>();
  for (const [name, entry] of Object.entries(entries)) {
    tensors.set(name, readEntry(file, 8 + length, name, entry));
  }
  return { metadata: (__metadata__ ?? {}) as Record<string, string>, tensors };
}

function parseHeader(bytes: Uint8Array): Record<string, unknown> {
  try {
    const header: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (header !== null && typeof header === "object" && !Array.isArray(header)) {
      return header as Record<string, unknown>;
    }
  } catch {
    // Named below, like a header of another kind.
  }
  throw damaged("its header is not JSON");
}

function readEntry(file: ArrayBuffer, start: number, name: string, value: unknown): SafeTensor {
  const entry = value as {
    dtype?: SafeDtype;
    shape?: number[];
    data_offsets?: [number, number];
  } | null;
  if (!entry?.dtype || !Array.isArray(entry.shape) || !Array.isArray(entry.data_offsets)) {
    throw damaged(`"${name}" is not described`);
  }
  const element = ELEMENT_BYTES[entry.dtype];
  if (!element) throw damaged(`"${name}" is of type ${entry.dtype}`);
  const [from, to] = entry.data_offsets;
  const expected = entry.shape.reduce((product, side) => product * side, element);
  if (to - from !== expected) throw damaged(`"${name}" has not the bytes of its shape`);
  if (from < 0 || start + to > file.byteLength) throw damaged(`"${name}" is cut off`);
  return {
    dtype: entry.dtype,
    shape: entry.shape,
    bytes: new Uint8Array(file, start + from, to - from),
  };
}

function damaged(why: string): Error {
  return new DecoderError(
    "PreparedDamaged",
    `The prepared photo cannot be read: ${why}. Reload the page.`,
  );
}
