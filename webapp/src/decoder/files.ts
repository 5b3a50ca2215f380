/** Fetching the decoder and the embeddings, with progress. */

import { DownloadError, download } from "../api/download";
import { DecoderError } from "./failure";

const CACHE = "decoders";

export type OnProgress = (loaded: number, total: number | null) => void;

/** Fetch several files at once; progress is told of their sum, once each has begun to come. */
export async function fetchFiles(
  sources: readonly { url: string; keep: boolean }[],
  onProgress: OnProgress,
): Promise<ArrayBuffer[]> {
  const loaded = sources.map(() => 0);
  const total = sources.map((): number | null => 0);
  return Promise.all(
    sources.map(({ url, keep }, index) => {
      const tell = (bytes: number, of: number | null) => {
        loaded[index] = bytes;
        total[index] = of;
        if (loaded.every((size) => size > 0)) onProgress(sum(loaded), sum(total));
      };
      return keep ? fetchKept(url, tell) : fetchFile(url, tell);
    }),
  );
}

/** A file that never changes under its path, whatever its link's signature says. */
async function fetchKept(url: string, tell: OnProgress): Promise<ArrayBuffer> {
  const cache = await caches.open(CACHE).catch(() => null);
  const path = url.split("?", 1)[0] ?? url;
  const kept = await cache?.match(path);
  if (kept) {
    const data = await kept.arrayBuffer();
    tell(data.byteLength, data.byteLength);
    return data;
  }
  const data = await fetchFile(url, tell);
  // Kept for the next visit; a full disk is no reason to fail this one.
  await cache?.put(path, new Response(data)).catch(() => undefined);
  return data;
}

async function fetchFile(url: string, tell: OnProgress): Promise<ArrayBuffer> {
  try {
    return await download(url, tell);
  } catch (error) {
    const status = error instanceof DownloadError ? error.status : 0;
    throw new DecoderError(
      "DecoderUnavailable",
      status === 0
        ? "The selection tool could not be loaded. Check the connection and try again."
        : `The selection tool could not be loaded (${status}). Reload the page to try again.`,
    );
  }
}

/** A file that is still compressed, as where it lies nobody said that it is. */
export async function uncompressed(file: ArrayBuffer): Promise<ArrayBuffer> {
  const [first, second] = new Uint8Array(file, 0, Math.min(file.byteLength, 2));
  if (first !== 0x1f || second !== 0x8b) return file;
  const plain = new Blob([file]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(plain).arrayBuffer();
}

/** Null where one of them is not known. */
function sum<T extends number | null>(values: readonly T[]): T {
  return values.reduce(
    (total, value) => (total === null || value === null ? null : total + value) as T,
    0 as T,
  );
}
