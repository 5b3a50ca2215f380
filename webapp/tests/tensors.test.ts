import { describe, expect, it } from "vitest";
import { uncompressed } from "../src/decoder/files";
import type { SafeTensor } from "../src/decoder/safetensors";
import { restore } from "../src/decoder/tensors";

function floats(shape: number[], values: number[]): SafeTensor {
  return { dtype: "F32", shape, bytes: new Uint8Array(Float32Array.from(values).buffer) };
}

function bytes(shape: number[], values: number[]): SafeTensor {
  return { dtype: "U8", shape, bytes: Uint8Array.from(values) };
}

describe("restore", () => {
  it("gives each channel its own numbers", () => {
    const { values, shape } = restore(
      bytes([1, 2, 1, 3], [0, 1, 2, 0, 100, 255]),
      floats([1, 2, 1, 1], [0.5, 2]),
      floats([1, 2, 1, 1], [-1, 10]),
    );
    expect(shape).toEqual([1, 2, 1, 3]);
    expect([...values]).toEqual([-1, -0.5, 0, 10, 210, 520]);
  });

  it("turns components back, group by group, with the channels last", () => {
    // Two rows of two groups: the first exchanges its channels, the second takes their difference.
    const { values, shape } = restore(
      bytes([4, 2], [1, 2, 3, 4, 5, 6, 7, 8]),
      floats([4, 1], [1, 1, 1, 10]),
      floats([4, 1], [0, 0, 0, 1]),
      floats([2, 2, 2], [0, 1, 1, 0, 1, -1, 0, 1]),
    );
    expect(shape).toEqual([1, 2, 4]);
    expect([...values]).toEqual([3, 1, 5, 66, 4, 2, 6, 75]);
  });
});

describe("uncompressed", () => {
  it("takes off what nobody has taken off, and leaves the rest", async () => {
    const plain = Uint8Array.from([8, 0, 0, 0]).buffer;
    expect(await uncompressed(plain)).toBe(plain);
    const zipped = new Blob([plain]).stream().pipeThrough(new CompressionStream("gzip"));
    const file = await uncompressed(await new Response(zipped).arrayBuffer());
    expect([...new Uint8Array(file)]).toEqual([8, 0, 0, 0]);
    expect((await uncompressed(new ArrayBuffer(0))).byteLength).toBe(0);
  });
});
