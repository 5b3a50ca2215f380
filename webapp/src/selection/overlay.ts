/** Drawing masks over the photo. */

import type { Size } from "./mask";

export type Rgb = readonly [red: number, green: number, blue: number];

/** One colour an object, in their order; chosen to differ for colour-blind eyes too. */
export const COLOURS: readonly Rgb[] = [
  [60, 132, 255],
  [255, 138, 31],
  [24, 190, 140],
  [232, 72, 144],
  [250, 204, 40],
  [148, 96, 250],
  [48, 200, 230],
  [190, 120, 70],
];

export function colourOf(index: number): Rgb {
  return COLOURS[index % COLOURS.length] as Rgb;
}

export function css([red, green, blue]: Rgb): string {
  return `rgb(${red} ${green} ${blue})`;
}

/** A mask as pixels: tinted inside, with a solid outline two pixels wide. */
export function tint(mask: Uint8Array, { width, height }: Size, colour: Rgb, alpha: number) {
  const pixels = new Uint8ClampedArray(width * height * 4);
  const whole = new Uint32Array(pixels.buffer);
  const [outline, inside] = [1, alpha].map((a) => word([...colour, Math.round(a * 255)])) as [
    number,
    number,
  ];
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      if (!mask[i]) continue;
      whole[i] = onOutline(mask, width, height, x, y) ? outline : inside;
    }
  }
  return pixels;
}

/** Four bytes as the machine reads them at once. */
function word(bytes: readonly number[]): number {
  return new Uint32Array(Uint8Array.from(bytes).buffer)[0] as number;
}

/** Whether a pixel of the mask has one outside of it within two pixels. */
function onOutline(mask: Uint8Array, width: number, height: number, x: number, y: number): boolean {
  const i = y * width + x;
  return (
    (x >= 2 && !mask[i - 2]) ||
    (x < width - 2 && !mask[i + 2]) ||
    (y >= 2 && !mask[i - 2 * width]) ||
    (y < height - 2 && !mask[i + 2 * width])
  );
}
