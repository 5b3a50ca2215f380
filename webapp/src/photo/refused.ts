/** Why a photo cannot be taken, by the limits that a page can look at itself. */

import { MAX_PHOTO_PIXELS, MIN_PHOTO_SIDE } from "../api/domain";
import { photo } from "../texts/en/photo";
import { texts } from "../texts/texts";
import { count } from "../ui/format";

/** Why a photo cannot be taken, for the person. */
export class PhotoError extends Error {
  override readonly name = "PhotoError";
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** @throws PhotoError if a photo is too large or too small to be taken. */
export function requireSize({ width, height }: Size): void {
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
}
