import { useEffect, useRef } from "react";
import type { Decodes } from "../../selection/decodes";
import { fitWithin, type Size, threshold } from "../../selection/mask";
import type { Action, SelectedObject } from "../../selection/model";
import { tint } from "../../selection/overlay";
import { type Decoded, maskAt } from "../../selection/prompt";

interface Props {
  object: SelectedObject;
  decodes: Decodes;
  photo: Size & { url: string };
  act(action: Action): void;
}

/** The decoder's other readings of the same clicks: a part, the whole, what is around it. */
export function Candidates({ object, decodes, photo, act }: Props) {
  const decoded = decodes.answer(object);
  const offered = decodes.candidates(object);
  if (!decoded || offered.length < 2) return null;
  const chosen = decodes.chosen(object);
  return (
    <section>
      <h2>Did you mean</h2>
      <div className="candidates">
        {offered.map((index, place) => (
          <button
            key={index}
            type="button"
            className="candidate"
            aria-pressed={index === chosen}
            aria-label={`Mask ${place + 1} of ${offered.length}, certainty ${Math.round((decoded.scores[index] ?? 0) * 100)} percent`}
            onClick={() => act({ type: "candidate", index })}
          >
            <Thumbnail decoded={decoded} index={index} photo={photo} />
          </button>
        ))}
      </div>
    </section>
  );
}

function Thumbnail({
  decoded,
  index,
  photo,
}: {
  decoded: Decoded;
  index: number;
  photo: Props["photo"];
}) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const size = fitWithin(photo, 160);
  const { width, height } = size;
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
