import type { Decodes } from "../../selection/decodes";
import type { Action, SelectedObject } from "../../selection/model";
import type { Decoded } from "../../selection/prompt";
import { Thumbnail, type ThumbnailPhoto } from "./Thumbnail";

interface Props {
  object: SelectedObject;
  decodes: Decodes;
  photo: ThumbnailPhoto;
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
            aria-label={`Mask ${place + 1} of ${offered.length}, ${certainty(decoded, index)}`}
            onClick={() => act({ type: "candidate", index })}
          >
            <Thumbnail decoded={decoded} index={index} photo={photo} />
          </button>
        ))}
      </div>
    </section>
  );
}

interface FoundProps {
  text: string;
  found: readonly Decoded[];
  object: SelectedObject;
  photo: ThumbnailPhoto;
  act(action: Action): void;
}

/** What the model found by the job's text; clicks refine what is chosen. */
export function Found({ text, found, object, photo, act }: FoundProps) {
  return (
    <section>
      <h2>Found: {text}</h2>
      {found.length === 0 && (
        <p className="muted small">Nothing of that name. Click the object instead.</p>
      )}
      <div className="candidates">
        {found.map((decoded, index) => (
          <button
            // biome-ignore lint/suspicious/noArrayIndexKey: what was found has no other name.
            key={index}
            type="button"
            className="candidate"
            aria-pressed={object.found === index}
            aria-label={`${text} ${index + 1} of ${found.length}, ${certainty(decoded, 0)}`}
            onClick={() => act({ type: "found", index, name: text })}
          >
            <Thumbnail decoded={decoded} index={0} photo={photo} />
          </button>
        ))}
      </div>
    </section>
  );
}

function certainty(decoded: Decoded, index: number): string {
  return `certainty ${Math.round((decoded.scores[index] ?? 0) * 100)} percent`;
}
