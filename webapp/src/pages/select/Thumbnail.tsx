import { useEffect, useMemo, useRef } from "react";
import { closeUp, fitWithin, type Size, threshold } from "../../selection/mask";
import { tint } from "../../selection/overlay";
import { type Decoded, maskAt } from "../../selection/prompt";

export type ThumbnailPhoto = Size & { url: string };

export interface ThumbnailProps {
  decoded: Decoded;
  index: number;
  photo: ThumbnailPhoto;
}

/** One of an answer's masks over the part of the photo in which it lies. */
export function Thumbnail({ decoded, index, photo }: ThumbnailProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { width, height } = fitWithin(photo, 160);
  const part = useMemo(() => closeUp(maskAt(decoded, index)), [decoded, index]);
  useEffect(() => {
    const mask = threshold(maskAt(decoded, index), width, height, part);
    const pixels = tint(mask, { width, height }, [60, 132, 255], 0.55);
    canvas.current?.getContext("2d")?.putImageData(new ImageData(pixels, width, height), 0, 0);
  }, [decoded, index, width, height, part]);
  return (
    <>
      <img
        src={photo.url}
        crossOrigin="anonymous"
        alt=""
        draggable={false}
        style={{
          transform: `scale(${1 / part.width}) translate(${-100 * part.x}%, ${-100 * part.y}%)`,
        }}
      />
      <canvas ref={canvas} width={width} height={height} />
    </>
  );
}
