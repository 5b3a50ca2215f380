/** Makes a JPEG of a HEIC photo, off the page's thread. */

import libheif from "libheif-js/libheif-wasm/libheif.js";
import wasm from "libheif-js/libheif-wasm/libheif.wasm?url";
import { MAX_PHOTO_BYTES } from "../api/domain";
import type { Said } from "./heic";
import { withProfile } from "./jpeg";
import { decode, type Pixels } from "./libheif";
import type { Size } from "./refused";

/** Tried in this order until the JPEG is small enough to be sent. */
const QUALITIES = [0.95, 0.85, 0.7];

const post = (said: Said) => self.postMessage(said);

self.onmessage = async ({ data: file }: MessageEvent<Blob>) => {
  try {
    const [wasmBinary, bytes] = await Promise.all([program(), file.arrayBuffer()]);
    if (!wasmBinary) return post({ failed: "notLoaded" });
    const size = (told: Size) => post({ size: told });
    const jpeg = await written(decode(libheif({ wasmBinary }), new Uint8Array(bytes), size));
    post(jpeg ? { jpeg } : { failed: "tooLarge" });
  } catch (error) {
    console.warn("The HEIC photo could not be read:", error);
    post({ failed: "damaged" });
  }
};

async function program(): Promise<ArrayBuffer | null> {
  const answer = await fetch(wasm).catch(() => null);
  return answer?.ok ? answer.arrayBuffer() : null;
}

/** Drawn once: a profile goes into the JPEG as it is, whose numbers then are the photo's own. */
async function written({ width, height, data, colours }: Pixels): Promise<Blob | null> {
  const space = typeof colours === "string" ? colours : "srgb";
  const canvas = new OffscreenCanvas(width, height);
  const drawing = canvas.getContext("2d", { alpha: false });
  if (!drawing) return null; // no canvas is as large as the photo
  drawing.putImageData(new ImageData(data, width, height, { colorSpace: space }), 0, 0);
  for (const quality of QUALITIES) {
    const jpeg = await canvas.convertToBlob({ type: "image/jpeg", quality });
    if (jpeg.size > MAX_PHOTO_BYTES) continue;
    if (typeof colours === "string") return jpeg;
    const parts = withProfile(new Uint8Array(await jpeg.arrayBuffer()), colours);
    return new Blob(parts, { type: "image/jpeg" });
  }
  return null;
}
