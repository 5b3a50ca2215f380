import { X } from "lucide-react";
import { useState } from "react";
import type { Decodes } from "../../selection/decodes";
import type { SelectedObject } from "../../selection/selection";
import { select as said } from "../../texts/en/select";
import { useTexts } from "../../texts/texts";

interface Props {
  objects: readonly SelectedObject[];
  decodes: Decodes;
}

/** Says that another decoder has drawn the masks anew, and has the earlier ones back. */
export function BetterMasks({ objects, decodes }: Props) {
  const t = useTexts(said);
  const [read, setRead] = useState<Decodes | null>(null);
  const redrawn = decodes.earlierOf(objects);
  const told =
    redrawn.length > 0 && read !== decodes && !redrawn.some((object) => decodes.pending(object));
  const kept = decodes.keepsEarlier;
  return (
    <div className={told ? "better" : "visually-hidden"}>
      {/* It stays while the note comes and goes: what is new in it is read out. */}
      <span role="status">{told && (kept ? t.masksStay : t.betterHere)}</span>
      {told && (
        <>
          <button
            type="button"
            className="button button-small"
            onClick={() => decodes.keepEarlier(!kept)}
          >
            {kept ? t.takeBetter : t.keepMine}
          </button>
          <button
            type="button"
            className="icon-button icon-button-small"
            aria-label={t.closeNote}
            onClick={(event) => {
              // The focus would be lost with the button.
              event.currentTarget.closest<HTMLElement>(".viewport")?.focus();
              setRead(decodes);
            }}
          >
            <X />
          </button>
        </>
      )}
    </div>
  );
}
