import { useEffect, useRef } from "react";
import { colourOf, tint } from "../../selection/overlay";
import type { ShownMask } from "./masks";

/** Every object's mask in its colour; the active one stands out. */
export function Overlay({
  masks,
  activeIndex,
}: {
  masks: readonly ShownMask[];
  activeIndex: number;
}) {
  return masks.map((shown, index) => (
    <MaskCanvas
      // biome-ignore lint/suspicious/noArrayIndexKey: an object's colour goes by its place too.
      key={index}
      shown={shown}
      index={index}
      active={index === activeIndex}
    />
  ));
}

function MaskCanvas({
  shown,
  index,
  active,
}: {
  shown: ShownMask;
  index: number;
  active: boolean;
}) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { mask, size } = shown;
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    const pixels = tint(mask, size, colourOf(index), active ? 0.42 : 0.22);
    context?.putImageData(new ImageData(pixels, size.width, size.height), 0, 0);
  }, [mask, size, index, active]);
  return (
    <canvas
      ref={canvas}
      className="mask"
      width={size.width}
      height={size.height}
      data-object={index}
      data-share={shown.share.toFixed(4)}
    />
  );
}
