import { Plus, X } from "lucide-react";
import { useEffect, useState } from "react";
import { MAX_NAME, MAX_OBJECTS } from "../../api/domain";
import { colourOf, css } from "../../selection/overlay";
import {
  type Action,
  isEmpty,
  type SelectedObject,
  type Selection,
} from "../../selection/selection";
import { select as said } from "../../texts/en/select";
import { useTexts } from "../../texts/texts";
import { percent } from "../../ui/format";
import type { ShownMask } from "./masks";

interface Props {
  selection: Selection;
  masks: readonly ShownMask[];
  act(action: Action): void;
}

/** The objects by name; one of them gets the clicks. */
export function ObjectList({ selection, masks, act }: Props) {
  const t = useTexts(said);
  const { objects, activeId } = selection;
  return (
    <section>
      <div className="side-head">
        <h2>{t.objects}</h2>
        <button
          type="button"
          className="button button-small button-quiet"
          disabled={objects.length >= MAX_OBJECTS}
          onClick={() => act({ type: "addObject" })}
        >
          <Plus aria-hidden="true" /> {t.add}
        </button>
      </div>
      <ul className="object-list">
        {objects.map((object, index) => (
          <li key={object.id} className={object.id === activeId ? "active" : undefined}>
            <button
              type="button"
              className="swatch"
              style={{ background: css(colourOf(index)) }}
              aria-label={t.selectOne(object.name)}
              aria-pressed={object.id === activeId}
              onClick={() => act({ type: "activate", id: object.id })}
            />
            <ObjectName object={object} index={index} act={act} />
            <span className="object-share">
              {isEmpty(object) ? t.empty : percent(masks[index]?.share ?? 0)}
            </span>
            <button
              type="button"
              className="icon-button icon-button-small"
              aria-label={t.remove(object.name)}
              disabled={objects.length === 1 && isEmpty(object)}
              onClick={() => act({ type: "removeObject", id: object.id })}
            >
              <X />
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

interface NameProps {
  object: SelectedObject;
  index: number;
  act(action: Action): void;
}

/** A name being typed is one step to undo, not one a letter. */
function ObjectName({ object, index, act }: NameProps) {
  const t = useTexts(said);
  const { id, name } = object;
  const [typed, setTyped] = useState(name);
  useEffect(() => setTyped(name), [name]);
  return (
    <input
      className="object-name"
      value={typed}
      maxLength={MAX_NAME}
      aria-label={t.nameOf(index + 1)}
      onFocus={() => act({ type: "activate", id })}
      onChange={(event) => setTyped(event.target.value)}
      onBlur={() => act({ type: "rename", id, name: typed })}
      onKeyDown={(event) => event.key === "Enter" && event.currentTarget.blur()}
    />
  );
}
