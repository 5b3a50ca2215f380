import type { Decodes } from "../../selection/decodes";
import { area, fitWithin, type Logits, renderMask, type Size } from "../../selection/mask";
import type { SelectedObject, Stroke } from "../../selection/selection";

/** The longer side of the masks on screen. */
const SIDE = 1024;
/** The server takes no smaller mask. */
const LEAST_PIXELS = 16;

export interface ShownMask {
  readonly mask: Uint8Array;
  readonly size: Size;
  /** The object's share of the photo, 0 to 1. */
  readonly share: number;
}

/** Masks for the screen; each is made once for its logits and strokes. */
export class ShownMasks {
  private readonly made = new Map<
    number,
    { from: [Logits | null, readonly Stroke[]]; shown: ShownMask }
  >();
  private readonly last = new Map<number, Logits>();
  readonly size: Size;

  constructor(private readonly photo: Size) {
    this.size = fitWithin(photo, SIDE);
  }

  /** The object's mask; while a new one is decoded, the one before it. */
  of(object: SelectedObject, decodes: Decodes | null): ShownMask {
    const now = decodes?.logits(object) ?? null;
    const pending = decodes?.pending(object) ?? false;
    const logits = now ?? (pending ? (this.last.get(object.id) ?? null) : null);
    if (logits) this.last.set(object.id, logits);
    else this.last.delete(object.id);
    const earlier = this.made.get(object.id);
    // Logits are cut anew out of the answer each time; what they look at says which they are.
    if (earlier && same(earlier.from[0], logits) && earlier.from[1] === object.strokes) {
      return earlier.shown;
    }
    const mask = renderMask(object, logits, this.photo, this.size);
    const shown = { mask, size: this.size, share: area(mask) / mask.length };
    this.made.set(object.id, { from: [logits, object.strokes], shown });
    return shown;
  }
}

/** A mask that is pointed at, in the place of an object's own; what was painted stays. */
export function pointedAt(object: SelectedObject, logits: Logits, photo: Size): ShownMask {
  const size = fitWithin(photo, SIDE);
  const mask = renderMask(object, logits, photo, size);
  return { mask, size, share: area(mask) / mask.length };
}

function same(a: Logits | null, b: Logits | null): boolean {
  if (a === null || b === null) return a === b;
  return a.data.buffer === b.data.buffer && a.data.byteOffset === b.data.byteOffset;
}

/** Why a mask cannot be sent, as the texts have it. */
type Unfit = "coversAll" | "tooSmall";

/** Why a mask cannot be sent, or null. */
export function unfit({ mask, size, share }: ShownMask, photo: Size): Unfit | null {
  if (share === 1) return "coversAll";
  const pixels = share * photo.width * photo.height;
  if (mask.length === 0 || pixels < LEAST_PIXELS || share * size.width * size.height < 1) {
    return "tooSmall";
  }
  return null;
}
