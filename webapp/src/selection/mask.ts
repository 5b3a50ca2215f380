/**
 * Mask maths. A mask is bytes, row by row, 1 for the object. The overlay on screen and the PNG that
 * is sent are drawn by the same function, at different sizes.
 */

import type { SelectedObject, Stroke } from "./selection";

/** One mask as the decoder gives it: logits, positive for the object, row by row. */
export interface Logits {
  readonly data: Float32Array;
  readonly width: number;
  readonly height: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** A part of a photo or a mask, in shares of its width and height. */
export interface Part {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const WHOLE: Part = { x: 0, y: 0, width: 1, height: 1 };

/** For each output position: the two neighbours to blend and the second one's weight. */
function taps(
  from: number,
  to: number,
  start: number,
  share: number,
): { low: Int32Array; high: Int32Array; weight: Float32Array } {
  const low = new Int32Array(to);
  const high = new Int32Array(to);
  const weight = new Float32Array(to);
  for (let i = 0; i < to; i++) {
    const at = Math.min(Math.max((start + ((i + 0.5) * share) / to) * from - 0.5, 0), from - 1);
    const floor = Math.floor(at);
    low[i] = floor;
    high[i] = Math.min(floor + 1, from - 1);
    weight[i] = at - floor;
  }
  return { low, high, weight };
}

/** Bilinear resampling with pixel centres aligned, as `align_corners=False` does it. */
export function resample(logits: Logits, width: number, height: number): Logits {
  if (logits.width === width && logits.height === height) return logits;
  const data = new Float32Array(width * height);
  const all = { left: 0, right: logits.width, top: 0, bottom: logits.height };
  eachRow(logits, width, height, WHOLE, all, (y, row) => data.set(row, y * width));
  return { data, width, height };
}

/** Upscale logits, or a part of them, and keep where they are positive. */
export function threshold(logits: Logits, width: number, height: number, part = WHOLE): Uint8Array {
  const mask = new Uint8Array(width * height);
  // Between logits of which none is positive there is nothing of the object.
  const within = bounds(logits);
  if (!within) return mask;
  eachRow(logits, width, height, part, within, (y, row, from, to) => {
    const start = y * width;
    for (let x = from; x < to; x++) if ((row[x] as number) > 0) mask[start + x] = 1;
  });
  return mask;
}

/** Rows and columns of logits; the second of each is the first that is left out. */
interface Bounds {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** Where logits are positive; null where none is. */
function bounds({ data, width, height }: Logits): Bounds | null {
  let [left, top, right, bottom] = [width, height, 0, 0];
  for (let y = 0, start = 0; y < height; y++, start += width) {
    let first = 0;
    while (first < width && (data[start + first] as number) <= 0) first += 1;
    if (first === width) continue;
    let last = width - 1;
    while ((data[start + last] as number) <= 0) last -= 1;
    left = Math.min(left, first);
    right = Math.max(right, last + 1);
    top = Math.min(top, y);
    bottom = y + 1;
  }
  return bottom === 0 ? null : { left, right, top, bottom };
}

/** Blend logits row by row, of what the logits `within` bounds have a part in. */
function eachRow(
  { data, width: fromWidth, height: fromHeight }: Logits,
  width: number,
  height: number,
  part: Part,
  within: Bounds,
  use: (y: number, row: Float32Array, from: number, to: number) => void,
): void {
  const across = taps(fromWidth, width, part.x, part.width);
  const down = taps(fromHeight, height, part.y, part.height);
  const blended = new Float32Array(fromWidth);
  const row = new Float32Array(width);
  const from = across.high.findIndex((column) => column >= within.left);
  const to = across.low.findLastIndex((column) => column < within.right) + 1;
  if (from < 0) return;
  const [first, last] = [across.low[from] as number, across.high[to - 1] as number];
  for (let y = 0; y < height; y++) {
    if ((down.high[y] as number) < within.top) continue;
    if ((down.low[y] as number) >= within.bottom) break;
    const a = (down.low[y] as number) * fromWidth;
    const b = (down.high[y] as number) * fromWidth;
    const t = down.weight[y] as number;
    for (let x = first; x <= last; x++) {
      const above = data[a + x] as number;
      blended[x] = above + t * ((data[b + x] as number) - above);
    }
    for (let x = from; x < to; x++) {
      const left = blended[across.low[x] as number] as number;
      const right = blended[across.high[x] as number] as number;
      row[x] = left + (across.weight[x] as number) * (right - left);
    }
    use(y, row, from, to);
  }
}

/** Lay strokes over a mask, in their order. `scale` is mask pixels per photo pixel. */
export function paint(
  mask: Uint8Array,
  size: Size,
  strokes: readonly Stroke[],
  scale: number,
): void {
  for (const stroke of strokes) {
    const value = stroke.erase ? 0 : 1;
    const radius = Math.max(stroke.radius * scale, 0.5);
    stroke.path.forEach((to, index) => {
      const from = stroke.path[Math.max(index - 1, 0)] ?? to;
      capsule(
        mask,
        size,
        from.x * scale,
        from.y * scale,
        to.x * scale,
        to.y * scale,
        radius,
        value,
      );
    });
  }
}

/** Set every pixel whose centre lies within `radius` of the segment. */
function capsule(
  mask: Uint8Array,
  { width, height }: Size,
  x0: number,
  y0: number,
  x1: number,
  y1: number,
  radius: number,
  value: 0 | 1,
): void {
  const dx = x1 - x0;
  const dy = y1 - y0;
  const squared = dx * dx + dy * dy;
  const left = Math.max(Math.floor(Math.min(x0, x1) - radius), 0);
  const right = Math.min(Math.ceil(Math.max(x0, x1) + radius), width);
  const top = Math.max(Math.floor(Math.min(y0, y1) - radius), 0);
  const bottom = Math.min(Math.ceil(Math.max(y0, y1) + radius), height);
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      const px = x + 0.5 - x0;
      const py = y + 0.5 - y0;
      const t = squared === 0 ? 0 : Math.min(Math.max((px * dx + py * dy) / squared, 0), 1);
      const ex = px - t * dx;
      const ey = py - t * dy;
      if (ex * ex + ey * ey <= radius * radius) mask[y * width + x] = value;
    }
  }
}

/** The mask of an object at any size: its logits, then its brush strokes. */
export function renderMask(
  object: Pick<SelectedObject, "strokes">,
  logits: Logits | null,
  photo: Size,
  out: Size,
): Uint8Array {
  const mask = logits
    ? threshold(logits, out.width, out.height)
    : new Uint8Array(out.width * out.height);
  paint(mask, out, object.strokes, out.width / photo.width);
  return mask;
}

/** Pixels of the object. */
export function area(mask: Uint8Array): number {
  let pixels = 0;
  // By its places, which takes a fifth of the time that its iterator does.
  for (let i = 0; i < mask.length; i++) pixels += mask[i] as number;
  return pixels;
}

/** The largest size of the photo's proportions whose longer side is at most `side`. */
export function fitWithin(photo: Size, side: number): Size {
  const scale = Math.min(1, side / Math.max(photo.width, photo.height));
  return {
    width: Math.max(1, Math.round(photo.width * scale)),
    height: Math.max(1, Math.round(photo.height * scale)),
  };
}

/** Room around what is looked at closely, and the least that is looked at, in shares. */
const ROOM = 0.2;
const LEAST = 0.06;

/** The part of a photo in which a mask is seen best: as wide to high as all of it, with some room. */
export function closeUp(logits: Logits): Part {
  const { width, height } = logits;
  const found = bounds(logits);
  if (!found) return WHOLE;
  const { left, right, top, bottom } = found;
  const widest = Math.max((right - left) / width, (bottom - top) / height, LEAST);
  const share = Math.min(widest * (1 + 2 * ROOM), 1);
  const begin = (low: number, high: number) =>
    Math.min(Math.max((low + high) / 2 - share / 2, 0), 1 - share);
  return {
    x: begin(left / width, right / width),
    y: begin(top / height, bottom / height),
    width: share,
    height: share,
  };
}
