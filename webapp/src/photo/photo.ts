/** A photo is looked at before it travels, by the rules that the server has too. */

import { MAX_PHOTO_BYTES, PHOTO_ENDINGS, type PhotoType } from "../api/domain";
import { photo } from "../texts/en/photo";
import { texts } from "../texts/texts";
import { count, decimal } from "../ui/format";
import { PhotoError, requireSize, type Size } from "./refused";

export interface Photo {
  readonly blob: Blob;
  readonly name: string;
  readonly type: PhotoType;
}

/** Enough of a file to say what it is. */
const HEAD_BYTES = 64;

/** What the first bytes say a file is. */
export function sniff(head: Uint8Array): PhotoType | "image/heic" | null {
  const text = String.fromCharCode(...head.subarray(0, HEAD_BYTES));
  if (text.startsWith("\xff\xd8\xff")) return "image/jpeg";
  if (text.startsWith("\x89PNG\r\n\x1a\n")) return "image/png";
  if (text.startsWith("RIFF") && text.slice(8, 12) === "WEBP") return "image/webp";
  if (text.slice(4, 8) !== "ftyp") return null;
  const brands = text.slice(8, new DataView(head.buffer, head.byteOffset).getUint32(0));
  if (/avi[fs]/.test(brands)) return "image/avif";
  return /hei[cxms]|hev[cxms]|m[is]f1/.test(brands) ? "image/heic" : null;
}

/**
 * Check a file that a person chose.
 *
 * @throws PhotoError with what is wrong and what to do.
 */
export async function checkPhoto(file: Blob, name: string): Promise<Photo> {
  if (file.size === 0) throw new PhotoError(texts(photo).empty);
  const type = sniff(new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer()));
  if (type === null) throw new PhotoError(texts(photo).noPhoto(name));
  if (file.size > MAX_PHOTO_BYTES) {
    throw new PhotoError(
      texts(photo).tooLarge(decimal(file.size / 1024 ** 2, 0), count(MAX_PHOTO_BYTES / 1024 ** 2)),
    );
  }
  if (type === "image/heic") {
    const { jpegOf } = await import("./heic");
    const base = name.replace(/\.\w+$/, "") || "photo";
    return { blob: await jpegOf(file), name: `${base}.jpg`, type: "image/jpeg" };
  }
  const blob = file.type === type ? file : new Blob([file], { type });
  requireSize(await measure(blob));
  return { blob, name: name || `photo.${PHOTO_ENDINGS[type]}`, type };
}

async function measure(blob: Blob): Promise<Size> {
  try {
    const bitmap = await createImageBitmap(blob);
    const size = { width: bitmap.width, height: bitmap.height };
    bitmap.close();
    return size;
  } catch {
    throw new PhotoError(texts(photo).damaged);
  }
}
