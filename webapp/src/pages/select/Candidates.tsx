import { useState } from "react";
import { SURE } from "../../api/domain";
import type { Decodes } from "../../selection/decodes";
import type { Logits } from "../../selection/mask";
import { type Decoded, maskAt } from "../../selection/prompt";
import type { Action, SelectedObject } from "../../selection/selection";
import { useAfterPaint } from "../../ui/useAfterPaint";
import { Thumbnail, type ThumbnailPhoto, type ThumbnailProps } from "./Thumbnail";

interface Props {
  object: SelectedObject;
  decodes: Decodes;
  photo: ThumbnailPhoto;
  act(action: Action): void;
  /** Show a mask on the stage while it is pointed at; null: no more. */
  point(mask: Logits | null): void;
}

/** The decoder's other readings of the same clicks: a part, the whole, what is around it. */
export function Candidates({ object, decodes, photo, act, point }: Props) {
  const decoded = decodes.answer(object);
  const offered = decodes.candidates(object);
  // The mask first, then what else might be meant: three pictures of the photo.
  const painted = useAfterPaint(decoded);
  if (!decoded || decoded !== painted || offered.length < 2) return null;
  const chosen = decodes.chosen(object);
  return (
    <section>
      <h2>Did you mean</h2>
      <div className="candidates">
        {offered.map((index, place) => (
          <Choice
            key={index}
            name={`Mask ${place + 1} of ${offered.length}`}
            chosen={index === chosen}
            mask={{ decoded, index, photo }}
            point={point}
            onChoose={() => act({ type: "candidate", index })}
          />
        ))}
      </div>
    </section>
  );
}

interface FoundProps {
  text: string;
  /** What was found is this, where the text itself found nothing; else empty. */
  foundText: string;
  /** The best first. */
  found: readonly Decoded[];
  /** Whether it is still being looked for. */
  awaited: boolean;
  object: SelectedObject;
  photo: ThumbnailPhoto;
  act(action: Action): void;
  point(mask: Logits | null): void;
}

/** What the model found by the job's text; clicks refine what is chosen. */
export function Found({ text, foundText, found, awaited, object, photo, act, point }: FoundProps) {
  const [all, setAll] = useState(false);
  const sure = found.filter(({ scores }) => (scores[0] ?? 0) >= SURE).length;
  const shown = all ? found : found.slice(0, sure);
  const unsure = found.length - shown.length;
  const name = foundText || text;
  return (
    <section>
      <h2>Found: {name}</h2>
      {foundText && <p className="muted small">Nothing was found by “{text}”.</p>}
      {sure === 0 && (
        <p className="muted small">
          {awaited
            ? "It is looked for by its name when the model is awake. Click the object meanwhile."
            : "Nothing is of that name for sure. Click the object instead."}
        </p>
      )}
      <div className="candidates">
        {shown.map((decoded, index) => (
          <Choice
            // biome-ignore lint/suspicious/noArrayIndexKey: what was found has no other name.
            key={index}
            name={`${name} ${index + 1} of ${shown.length}`}
            chosen={object.found === index}
            mask={{ decoded, index: 0, photo }}
            point={point}
            onChoose={() => act({ type: "found", index, name })}
          />
        ))}
      </div>
      {unsure > 0 && (
        <button
          type="button"
          className="button button-small button-quiet"
          onClick={() => setAll(true)}
        >
          Show {unsure} less sure
        </button>
      )}
    </section>
  );
}

interface ChoiceProps {
  name: string;
  chosen: boolean;
  mask: ThumbnailProps;
  point(mask: Logits | null): void;
  onChoose(): void;
}

/** A mask to choose, with how certain the network is of it. */
function Choice({ name, chosen, mask, point, onChoose }: ChoiceProps) {
  const certainty = Math.round((mask.decoded.scores[mask.index] ?? 0) * 100);
  return (
    <button
      type="button"
      className="candidate"
      aria-pressed={chosen}
      aria-label={`${name}, certainty ${certainty} percent`}
      // A finger does not point before it chooses.
      onPointerEnter={({ pointerType }) =>
        pointerType !== "touch" && point(maskAt(mask.decoded, mask.index))
      }
      onPointerLeave={() => point(null)}
      onFocus={() => point(maskAt(mask.decoded, mask.index))}
      onBlur={() => point(null)}
      onClick={() => {
        point(null);
        onChoose();
      }}
    >
      <Thumbnail {...mask} />
    </button>
  );
}
