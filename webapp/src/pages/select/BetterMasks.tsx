import { X } from "lucide-react";
import { useState } from "react";
import type { Decodes } from "../../selection/decodes";
import type { SelectedObject } from "../../selection/selection";

interface Props {
  objects: readonly SelectedObject[];
  decodes: Decodes;
}

/** Says that another decoder has drawn the masks anew, and has the earlier ones back. */
export function BetterMasks({ objects, decodes }: Props) {
  const [read, setRead] = useState<Decodes | null>(null);
  const redrawn = decodes.earlierOf(objects);
  const told =
    redrawn.length > 0 && read !== decodes && !redrawn.some((object) => decodes.pending(object));
  const kept = decodes.keepsEarlier;
  return (
    <div className={told ? "better" : "visually-hidden"}>
      {/* It stays while the note comes and goes: what is new in it is read out. */}
      <span role="status">{told && (kept ? "Your masks stay" : "Better masks are here")}</span>
      {told && (
        <>
          <button
            type="button"
            className="button button-small"
            onClick={() => decodes.keepEarlier(!kept)}
          >
            {kept ? "Take the better ones" : "Keep mine"}
          </button>
          <button
            type="button"
            className="icon-button icon-button-small"
            aria-label="Close the note"
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
