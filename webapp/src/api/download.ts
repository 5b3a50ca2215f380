/** A file behind a signed link, with progress. */

/** A download that does not move for so long is given up. */
const STALL_MS = 30_000;

/** Bytes that have come, and how many will: null where nobody can say. */
export type Tell = (loaded: number, total: number | null) => void;

/** Why a file did not come: its status, or 0 where the connection is lost or stands still. */
export class DownloadError extends Error {
  override readonly name = "DownloadError";

  constructor(readonly status: number) {
    super(
      status === 0
        ? "The file could not be loaded. Check the connection and try again."
        : `The file could not be loaded (${status}). Reload the page to try again.`,
    );
  }
}

/**
 * Fetch a file whole.
 *
 * @throws DownloadError
 */
export async function download(url: string, tell: Tell = () => undefined): Promise<ArrayBuffer> {
  const control = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const moved = () => {
    clearTimeout(timer);
    timer = setTimeout(() => control.abort(), STALL_MS);
  };
  try {
    moved();
    const response = await fetch(url, { signal: control.signal });
    if (!response.ok || !response.body) throw new DownloadError(response.status);
    // Of what is compressed on its way, the length is that way's, and what comes is more.
    const compressed = response.headers.get("Content-Encoding");
    const length = compressed ? 0 : Number(response.headers.get("Content-Length"));
    const parts: Uint8Array[] = [];
    let loaded = 0;
    const reader = response.body.getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      moved();
      parts.push(part.value);
      loaded += part.value.byteLength;
      tell(loaded, length >= loaded ? length : null);
    }
    return await new Blob(parts as BlobPart[]).arrayBuffer();
  } catch (error) {
    if (error instanceof DownloadError) throw error;
    throw new DownloadError(0);
  } finally {
    clearTimeout(timer);
  }
}
