import { Camera, Clapperboard, Expand } from "lucide-react";
import { type RefObject, useState } from "react";
import { viewer as said } from "../texts/en/viewer";
import { sentenceOf } from "../texts/sentence";
import { useTexts } from "../texts/texts";
import { fileName, save } from "../ui/save";
import { canFilm } from "./film";
import type { Ground, ObjectScene, Side } from "./scene";

const SIDES: readonly Side[] = ["front", "side", "top"];

/** A phone of Apple's fills its screen with films alone. */
const fillsTheScreen = "document" in globalThis && document.fullscreenEnabled;

interface Props {
  name: string;
  scene: ObjectScene | null;
  /** What fills the screen. */
  frame: RefObject<HTMLElement | null>;
  ready: boolean;
  /** Whether one can look as the photo's camera did. */
  photo: boolean;
}

/** Sides to look from, what stands behind, and pictures to take away. */
export function ViewerMore({ name, scene, frame, ready, photo }: Props) {
  const t = useTexts(said);
  const [share, setShare] = useState<number | null>(null);
  const [error, setError] = useState("");
  const [ground, setGround] = useState<Ground>("studio");
  const filming = share !== null;
  const idle = ready && scene !== null && !filming;

  async function take(make: (scene: ObjectScene) => Promise<{ file: Blob; ending: string }>) {
    if (!scene) return;
    setError("");
    try {
      const { file, ending } = await make(scene);
      save(file, `${fileName(name)}.${ending}`);
    } catch (failure) {
      setError(sentenceOf(failure));
    } finally {
      setShare(null);
    }
  }

  return (
    <div className="viewer-more">
      <fieldset className="viewer-sides" disabled={!idle}>
        <legend className="visually-hidden">{t.lookFrom}</legend>
        {photo && (
          <button
            type="button"
            className="button button-quiet button-small"
            onClick={() => scene?.asInPhoto()}
          >
            {t.photo}
          </button>
        )}
        {SIDES.map((side) => (
          <button
            key={side}
            type="button"
            className="button button-quiet button-small"
            onClick={() => scene?.side(side)}
          >
            {t.sides[side]}
          </button>
        ))}
      </fieldset>
      <label className="viewer-ground">
        <span className="muted small">{t.background}</span>
        <select
          className="input"
          value={ground}
          disabled={!idle}
          onChange={(event) => {
            const chosen = event.target.value as Ground;
            setGround(chosen);
            scene?.ground(chosen);
          }}
        >
          {Object.entries(t.grounds).map(([value, label]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
      </label>
      <div className="toolbar-group">
        <button
          type="button"
          className="icon-button"
          aria-label={t.picture}
          title={t.savePicture}
          disabled={!idle}
          onClick={() =>
            void take(async (scene) => ({ file: await scene.picture(), ending: "png" }))
          }
        >
          <Camera />
        </button>
        {canFilm() && (
          <button
            type="button"
            className="icon-button"
            aria-label={t.turntable}
            title={t.saveFilm}
            disabled={!idle}
            onClick={() =>
              void take(async (scene) => {
                const { film, ending } = await scene.film(setShare);
                return { file: film, ending };
              })
            }
          >
            <Clapperboard />
          </button>
        )}
        {fillsTheScreen && (
          <button
            type="button"
            className="icon-button"
            aria-label={t.fullScreen}
            title={t.fullScreen}
            onClick={() => void frame.current?.requestFullscreen().catch(() => undefined)}
          >
            <Expand />
          </button>
        )}
      </div>
      {filming && (
        <p className="muted small" role="status">
          {t.recording(Math.round(100 * share))}
        </p>
      )}
      {error !== "" && (
        <p className="note note-error" role="alert">
          {error}
        </p>
      )}
    </div>
  );
}
