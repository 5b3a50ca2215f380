import { describe, expect, it } from "vitest";
import { readFound, readMeta } from "../src/decoder/embeddings";
import { type Declared, embeddingFeeds, type Feed, promptFeeds } from "../src/decoder/feeds";
import { readSafeTensors } from "../src/decoder/safetensors";
import { convert, floatToHalf, halfToFloat } from "../src/decoder/tensors";

const META = {
  contract: "1",
  engine: "lite",
  revision: "abc",
  input_width: "448",
  input_height: "448",
  resize: "stretch",
  image_width: "896",
  image_height: "224",
  precision: "fp16",
  single_mask_index: "",
};
const DECODER = { engine: "lite", revision: "abc" };

/** A file as Python's safetensors writes it, with a header of any length. */
function file(
  tensors: Record<string, { dtype: string; shape: number[]; bytes: Uint8Array }>,
  metadata: Record<string, string> = META,
): ArrayBuffer {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let end = 0;
  for (const [name, { dtype, shape, bytes }] of Object.entries(tensors)) {
    header[name] = { dtype, shape, data_offsets: [end, end + bytes.length] };
    end += bytes.length;
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const out = new Uint8Array(8 + text.length + end);
  new DataView(out.buffer).setBigUint64(0, BigInt(text.length), true);
  out.set(text, 8);
  let at = 8 + text.length;
  for (const { bytes } of Object.values(tensors)) {
    out.set(bytes, at);
    at += bytes.length;
  }
  return out.buffer;
}

const halves = {
  dtype: "F16",
  shape: [1, 3],
  bytes: new Uint8Array(Uint16Array.of(0x3c00, 0xc000, 0x3555).buffer),
};
const odd = { dtype: "U8", shape: [1], bytes: Uint8Array.of(7) };

describe("readSafeTensors", () => {
  it("reads metadata, types, shapes and bytes at any alignment", () => {
    const { metadata, tensors } = readSafeTensors(file({ odd, image_embed: halves }));
    expect(metadata.engine).toBe("lite");
    const tensor = tensors.get("image_embed");
    expect(tensor?.shape).toEqual([1, 3]);
    expect([...convert(tensor as never, "float32")]).toEqual([1, -2, halfToFloat(0x3555)]);
    expect([...convert(tensor as never, "float16")]).toEqual([0x3c00, 0xc000, 0x3555]);
  });

  it("never takes bytes for numbers of another kind", () => {
    const { tensors } = readSafeTensors(file({ odd, image_embed: halves }));
    expect([...convert(tensors.get("odd") as never, "uint8")]).toEqual([7]);
    expect(() => convert(tensors.get("odd") as never, "float16")).toThrow(/precision/);
    expect(() => convert(tensors.get("image_embed") as never, "uint8")).toThrow(/precision/);
  });

  it("refuses files that are cut off or say what they do not hold", () => {
    const whole = file({ image_embed: halves });
    const wrong = [
      new ArrayBuffer(3),
      whole.slice(0, 40),
      whole.slice(0, whole.byteLength - 1),
      file({ image_embed: { ...halves, shape: [1, 4] } }),
      file({ image_embed: { ...halves, dtype: "BF16" } }),
      Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0, 91, 93).buffer,
    ];
    for (const broken of wrong) expect(() => readSafeTensors(broken)).toThrow(/cannot be read/);
  });
});

describe("half precision", () => {
  it("comes back from every bit pattern", () => {
    for (let bits = 0; bits < 0x10000; bits++) {
      const value = halfToFloat(bits);
      if (!Number.isNaN(value)) expect(floatToHalf(value)).toBe(bits);
    }
  });

  it("rounds to the nearest, ties to even", () => {
    expect(halfToFloat(floatToHalf(1 + 1 / 2048))).toBe(1);
    expect(halfToFloat(floatToHalf(1 + 3 / 2048))).toBe(1 + 2 / 1024);
    expect(halfToFloat(floatToHalf(1e6))).toBe(Number.POSITIVE_INFINITY);
    expect(halfToFloat(floatToHalf(2047.9))).toBe(2048);
  });
});

describe("readMeta", () => {
  it("reads sizes and the rule for the mask", () => {
    const meta = readMeta(readSafeTensors(file({})), DECODER);
    expect(meta).toMatchObject({ inputWidth: 448, imageHeight: 224, singleMaskIndex: null });
    const sam = readSafeTensors(file({}, { ...META, single_mask_index: "0" }));
    expect(readMeta(sam, DECODER).singleMaskIndex).toBe(0);
  });

  it("refuses another engine, revision or contract", () => {
    const wrong = [{ engine: "sam" }, { revision: "abd" }, { contract: "3" }, { input_width: "" }];
    for (const change of wrong) {
      const other = readSafeTensors(file({}, { ...META, ...change }));
      expect(() => readMeta(other, DECODER)).toThrow();
    }
  });
});

describe("readFound", () => {
  const scores = {
    dtype: "F32",
    shape: [2],
    bytes: new Uint8Array(Float32Array.of(0.75, 0.5).buffer),
  };

  it("gives each mask by itself, as logits, and none where nothing was looked for", () => {
    const bytes = Uint8Array.of(255, 129, 128, 120, 0, 136);
    const found = readFound(
      readSafeTensors(
        file({
          candidate_logits: { dtype: "U8", shape: [2, 1, 3], bytes },
          candidate_scores: scores,
        }),
      ),
    );
    expect(found.map(({ scores: certainty }) => certainty)).toEqual([[0.75], [0.5]]);
    expect(found[1]).toMatchObject({ width: 3, height: 1 });
    expect(found.map(({ masks }) => [...masks])).toEqual([
      [15.8125, 0.0625, -0.0625],
      [-1.0625, -16.0625, 0.9375],
    ]);
    expect(readFound(readSafeTensors(file({})))).toEqual([]);
  });

  it("reads masks of a photo that was prepared before there were logits", () => {
    const masks = { dtype: "U8", shape: [2, 1, 3], bytes: Uint8Array.of(1, 0, 0, 0, 1, 1) };
    const found = readFound(
      readSafeTensors(file({ candidate_masks: masks, candidate_scores: scores })),
    );
    expect([...(found[1]?.masks ?? [])].map((logit) => logit > 0)).toEqual([false, true, true]);
  });
});

const numbers = (feed: Feed | undefined) => Array.from(feed?.data ?? [], Number);

describe("feeds", () => {
  const meta = readMeta(readSafeTensors(file({})), DECODER);
  const lite: Declared[] = [
    { name: "image_embed", type: "float32", shape: [1, 3] },
    { name: "point_coords", type: "float32", shape: [1, "n", 2] },
    { name: "point_labels", type: "float32", shape: [1, "n"] },
    { name: "mask_input", type: "float32", shape: [1, 1, 2, 3] },
    { name: "has_mask_input", type: "float32", shape: [1] },
  ];
  const sam = lite.map((input) =>
    input.name === "point_labels" ? { ...input, type: "int32" as const } : input,
  );
  const clicks = [
    { x: 448, y: 56, label: 1 as const },
    { x: 0, y: 224, label: 0 as const },
  ];

  it("gives the embeddings in the declared type, and misses one by name", () => {
    const tensors = readSafeTensors(file({ image_embed: halves }));
    expect(embeddingFeeds(lite, tensors).image_embed).toMatchObject({
      type: "float32",
      dims: [1, 3],
    });
    expect(() =>
      embeddingFeeds([{ ...(lite[0] as Declared), name: "high_res_1" }], tensors),
    ).toThrow(/high_res_1/);
  });

  it("takes points to the stretched frame and pads none", () => {
    const feeds = promptFeeds(lite, meta, { clicks, box: null, found: null }, null);
    expect(feeds.point_coords).toMatchObject({ dims: [1, 2, 2] });
    expect(numbers(feeds.point_coords)).toEqual([224, 112, 0, 448]);
    expect(numbers(feeds.point_labels)).toEqual([1, 0]);
    expect(numbers(feeds.has_mask_input)).toEqual([0]);
    expect(feeds.mask_input?.data).toHaveLength(6);
  });

  it("gives a box as two corners, before the clicks", () => {
    const box = { x0: 0, y0: 0, x1: 896, y1: 224 };
    const feeds = promptFeeds(sam, meta, { clicks, box, found: null }, null);
    expect(feeds.point_labels?.data).toEqual(Int32Array.of(2, 3, 1, 0));
    expect(numbers(feeds.point_coords).slice(0, 4)).toEqual([0, 0, 448, 448]);
  });

  it("brings the previous mask to the size that is declared", () => {
    const previous = { data: new Float32Array(24).fill(5), width: 6, height: 4 };
    const feeds = promptFeeds(lite, meta, { clicks, box: null, found: null }, previous);
    expect(feeds.mask_input).toMatchObject({ dims: [1, 1, 2, 3] });
    expect(numbers(feeds.mask_input)).toEqual([5, 5, 5, 5, 5, 5]);
    expect(numbers(feeds.has_mask_input)).toEqual([1]);
  });
});
