/** HEIC photos, which no browser but Safari shows, become JPEGs before anybody sees them. */

import { photo } from "../texts/en/photo";
import { texts } from "../texts/texts";
import { PhotoError, requireSize, type Size } from "./refused";

/** What the worker says: how large the photo is, and then its JPEG, or why there is none. */
export type Said =
  | { readonly size: Size }
  | { readonly jpeg: Blob }
  | { readonly failed: "damaged" | "notLoaded" | "tooLarge" };

/** Several times what 48 megapixels take on a slow processor. */
const PATIENCE_MS = 120_000;

/**
 * A JPEG of a HEIC photo, upright and with its own colours; the same in every browser. A file that
 * somebody made to do harm is read in WebAssembly, in a worker that ends with it, and on no server.
 *
 * @throws PhotoError with what is wrong and what to do.
 */
export async function jpegOf(file: Blob): Promise<Blob> {
  const worker = new Worker(new URL("./heic-worker.ts", import.meta.url), { type: "module" });
  const t = texts(photo).heic;
  let late: ReturnType<typeof setTimeout> | undefined;
  try {
    return await new Promise<Blob>((resolve, reject) => {
      worker.onmessage = ({ data }: MessageEvent<Said>) => {
        if ("jpeg" in data) resolve(data.jpeg);
        else if ("failed" in data) reject(new PhotoError(t[data.failed]));
        else
          try {
            requireSize(data.size);
          } catch (error) {
            reject(error);
          }
      };
      // Its script did not load, or it had no memory left.
      worker.onerror = (event) => {
        event.preventDefault();
        reject(new PhotoError(t.unread));
      };
      late = setTimeout(() => reject(new PhotoError(t.unread)), PATIENCE_MS);
      worker.postMessage(file);
    });
  } finally {
    clearTimeout(late);
    worker.terminate();
  }
}
