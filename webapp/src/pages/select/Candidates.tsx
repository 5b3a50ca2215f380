import { useState } from "react";
import { SURE } from "../../api/domain";
import type { Decodes } from "../../selection/decodes";
import type { Logits } from "../../selection/mask";
import { type Decoded, maskAt } from "../../selection/prompt";
import type { Action, SelectedObject } from "../../selection/selection";
import { select as said } from "../../texts/en/select";
import { useTexts } from "../../texts/texts";
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
  const t = useTexts(said);
  const decoded = decodes.answer(object);
  const offered = decodes.candidates(object);
  // The mask first, then what else might be meant: three pictures of the photo.
  const painted = useAfterPaint(decoded);
  if (!decoded || decoded !== painted || offered.length < 2) return null;
  const chosen = decodes.chosen(object);
  return (
    <section>
      <h2>{t.didYouMean}</h2>
      <div className="candidates">
        {offered.map((index, place) => (
          <Choice
            key={index}
            name={t.mask(place + 1, offered.length)}
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
  const t = useTexts(said);
  const [all, setAll] = useState(false);
  const sure = found.filter(({ scores }) => (scores[0] ?? 0) >= SURE).length;
  const shown = all ? found : found.slice(0, sure);
  const unsure = found.length - shown.length;
  const name = foundText || text;
  return (
    <section>
      <h2>{t.found(name)}</h2>
      {foundText && <p className="muted small">{t.notFound(text)}</p>}
      {sure === 0 && <p className="muted small">{awaited ? t.awaited : t.unsure}</p>}
      <div className="candidates">
        {shown.map((decoded, index) => (
          <Choice
            // biome-ignore lint/suspicious/noArrayIndexKey: what was found has no other name.
            key={index}
            name={t.foundOne(name, index + 1, shown.length)}
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
          {t.showUnsure(unsure)}
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
  const t = useTexts(said);
  const certainty = Math.round((mask.decoded.scores[mask.index] ?? 0) * 100);
  return (
    <button
      type="button"
      className="candidate"
      aria-pressed={chosen}
      aria-label={t.certain(name, certainty)}
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
