import { useEffect, useRef } from "react";
import { fitWithin, type Size, threshold } from "../../selection/mask";
import { tint } from "../../selection/overlay";
import { type Decoded, maskAt } from "../../selection/prompt";

export type ThumbnailPhoto = Size & { url: string };

export interface ThumbnailProps {
  decoded: Decoded;
  index: number;
  photo: ThumbnailPhoto;
}

/** One of an answer's masks over the photo, small. */
export function Thumbnail({ decoded, index, photo }: ThumbnailProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { width, height } = fitWithin(photo, 160);
  useEffect(() => {
    const mask = threshold(maskAt(decoded, index), width, height);
    const pixels = tint(mask, { width, height }, [60, 132, 255], 0.55);
    canvas.current?.getContext("2d")?.putImageData(new ImageData(pixels, width, height), 0, 0);
  }, [decoded, index, width, height]);
  return (
    <>
      <img src={photo.url} crossOrigin="anonymous" alt="" draggable={false} />
      <canvas ref={canvas} width={width} height={height} />
    </>
  );
}
