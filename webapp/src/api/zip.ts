/** Several files behind signed links as one ZIP, packed in the browser. */

import { Zip, ZipPassThrough } from "fflate";
import { download } from "./download.js";

/** Bytes that have come of how many. */
type Tell = (loaded: number, total: number) => void;

export interface Wanted {
  /** Its name in the ZIP, with folders. */
  readonly name: string;
  readonly url: string;
  readonly bytes: number;
}

/**
 * Fetch files one after the other and put them into a ZIP. Nothing is compressed: most of what there
 * is to download is so already.
 *
 * @throws DownloadError
 */
export async function zipped(files: readonly Wanted[], tell: Tell = () => undefined) {
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const parts: Uint8Array<ArrayBuffer>[] = [];
  const zip = new Zip((error, part) => {
    if (error) throw error;
    parts.push(part as Uint8Array<ArrayBuffer>);
  });
  let before = 0;
  for (const { name, url, bytes } of files) {
    const data = await download(url, (loaded) => tell(before + loaded, total));
    const entry = new ZipPassThrough(name);
    zip.add(entry);
    entry.push(new Uint8Array(data), true);
    before += bytes;
  }
  zip.end();
  return new Blob(parts, { type: "application/zip" });
}
