/** A photo is looked at before it travels, by the rules that the server has too. */

import {
  MAX_PHOTO_BYTES,
  MAX_PHOTO_PIXELS,
  MIN_PHOTO_SIDE,
  PHOTO_ENDINGS,
  type PhotoType,
} from "../api/domain";
import { photo } from "../texts/en/photo";
import { texts } from "../texts/texts";
import { count, decimal } from "../ui/format";

/** What a file input offers. */
export const ACCEPT = Object.keys(PHOTO_ENDINGS).join(",");

export interface Photo {
  readonly blob: Blob;
  readonly name: string;
  readonly type: PhotoType;
}

/** Why a photo cannot be taken, for the person. */
export class PhotoError extends Error {
  override readonly name = "PhotoError";
}

/** What the first bytes say a file is. */
export function sniff(head: Uint8Array): PhotoType | "image/heic" | "image/gif" | null {
  const text = String.fromCharCode(...head.subarray(0, 12));
  if (text.startsWith("\xff\xd8\xff")) return "image/jpeg";
  if (text.startsWith("\x89PNG\r\n\x1a\n")) return "image/png";
  if (text.startsWith("RIFF") && text.slice(8) === "WEBP") return "image/webp";
  if (text.startsWith("GIF8")) return "image/gif";
  if (/^ftyp(hei|hev|mif1|msf1|avif)/.test(text.slice(4))) return "image/heic";
  return null;
}

/**
 * Check a file that a person chose.
 *
 * @throws PhotoError with what is wrong and what to do.
 */
export async function checkPhoto(file: Blob, name: string): Promise<Photo> {
  if (file.size === 0) throw new PhotoError(texts(photo).empty);
  const type = sniff(new Uint8Array(await file.slice(0, 16).arrayBuffer()));
  if (type === "image/heic") {
    throw new PhotoError(texts(photo).heic);
  }
  if (type === null || type === "image/gif") {
    throw new PhotoError(texts(photo).noPhoto(name));
  }
  if (file.size > MAX_PHOTO_BYTES) {
    throw new PhotoError(
      texts(photo).tooLarge(decimal(file.size / 1024 ** 2, 0), count(MAX_PHOTO_BYTES / 1024 ** 2)),
    );
  }
  const blob = file.type === type ? file : new Blob([file], { type });
  const { width, height } = await measure(blob);
  if (width * height > MAX_PHOTO_PIXELS) {
    throw new PhotoError(
      texts(photo).tooManyPixels(
        count(Math.ceil((width * height) / 1e5) / 10),
        count(MAX_PHOTO_PIXELS / 1e6),
      ),
    );
  }
  if (Math.min(width, height) < MIN_PHOTO_SIDE) {
    throw new PhotoError(texts(photo).tooSmall(width, height, MIN_PHOTO_SIDE));
  }
  return { blob, name: name || `photo.${PHOTO_ENDINGS[type]}`, type };
}

async function measure(blob: Blob): Promise<{ width: number; height: number }> {
  try {
    const bitmap = await createImageBitmap(blob);
    const size = { width: bitmap.width, height: bitmap.height };
    bitmap.close();
    return size;
  } catch {
    throw new PhotoError(texts(photo).damaged);
  }
}
