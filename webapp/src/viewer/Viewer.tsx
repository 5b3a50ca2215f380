import {
  Box,
  ChartScatter,
  EyeOff,
  Grid3x3,
  Maximize,
  RotateCw,
  Ruler,
  Sparkles,
  Sun,
} from "lucide-react";
import { type ReactNode, useEffect, useEffectEvent, useRef, useState } from "react";
import { fileOf } from "../api/links";
import { common } from "../texts/en/common";
import { files } from "../texts/en/files";
import { viewer as said } from "../texts/en/viewer";
import { texts, useTexts } from "../texts/texts";
import { loaded, useConnection, useWaiting } from "../ui/connection";
import { metres as inMetres } from "../ui/format";
import { Progress } from "../ui/Progress";
import { Segmented } from "../ui/Segmented";
import type { Part } from "./parts";
import { type AsInPhoto, FILE_OF, type Mode, ObjectScene } from "./scene";
import { ViewerMore } from "./ViewerMore";
import "./viewer.css";

interface Props {
  name: string;
  meshUrl: string | null;
  splatUrl: string | null;
  /** Whether the model is to be told from the one that takes its place. */
  draft?: boolean;
  /** Whether the mesh's file is in metres, so that one can measure in it. */
  metres?: boolean;
  /** What is shown are all objects of a photo: their names. */
  together?: readonly string[];
  /** The photo, which lies below a view that is its own; of an object without it there is no such. */
  photoUrl?: string | null;
}

const MODES: readonly { readonly value: Mode; readonly icon: ReactNode }[] = [
  { value: "mesh", icon: <Box /> },
  { value: "splat", icon: <Sparkles /> },
  { value: "wireframe", icon: <Grid3x3 /> },
  { value: "points", icon: <ChartScatter /> },
];

/** An object to turn: its mesh, its splat, its wires, its points, of which there is a file for. */
export default function Viewer({
  name,
  meshUrl,
  splatUrl,
  draft = false,
  metres = false,
  together,
  photoUrl,
}: Props) {
  const t = useTexts(said);
  const words = useTexts(common);
  const [mode, setMode] = useState<Mode>(meshUrl ? "mesh" : "splat");
  const [light, setLight] = useState(1);
  const [turning, setTurning] = useState(false);
  const [hidden, setHidden] = useState<ReadonlySet<number>>(new Set());
  const { canvas, frame, scene, loading, error, asInPhoto } = useScene(
    mode,
    meshUrl,
    splatUrl,
    together !== undefined,
    together !== undefined || Boolean(photoUrl),
  );

  useEffect(() => scene?.light(light), [scene, light]);
  useEffect(() => scene?.turn(turning), [scene, turning]);
  useEffect(() => scene?.hide(hidden), [scene, hidden]);

  const [length, setLength] = useState<number | null>(null);
  const [measuring, setMeasuring] = useState(false);
  const measures = measuring && mode === "mesh";
  useEffect(() => {
    if (!scene || !measures) return;
    setLength(null);
    scene.measure(setLength);
    return () => scene.measure(null);
  }, [scene, measures]);

  const [inventing, setInventing] = useState(false);
  const invents = inventing && mode === "mesh";
  useEffect(() => {
    if (!scene || !invents) return;
    void scene.invent(true);
    return () => void scene.invent(false);
  }, [scene, invents]);

  const choices = MODES.filter(({ value }) => (FILE_OF[value] === "mesh" ? meshUrl : splatUrl)).map(
    ({ value, icon }) => ({ value, icon, label: t.modes[value] }),
  );
  const lit = FILE_OF[mode] === "mesh";
  const home = together ? t.asInPhoto : t.whole;
  return (
    <section className="viewer" aria-label={draft ? t.viewOfDraft(name) : t.view(name)}>
      <div className="viewer-frame" ref={frame}>
        {photoUrl && asInPhoto.through && (
          <img
            className="viewer-photo"
            src={photoUrl}
            crossOrigin="anonymous"
            alt=""
            style={below(asInPhoto.through)}
          />
        )}
        {/* biome-ignore lint/a11y/noInteractiveElementToNoninteractiveRole: readers pass its keys on. */}
        <canvas
          ref={canvas}
          tabIndex={0}
          role="application"
          aria-label={t.canvas(name, t.modes[mode])}
        />
        {draft && <span className="badge">{words.draft}</span>}
        {loading !== null && (
          <div className="viewer-loading">
            <Progress label={t.loading[mode]} share={loading || null} />
          </div>
        )}
        {measures && (
          <output className="viewer-said">{length === null ? t.tapTwo : inMetres(length)}</output>
        )}
        {invents && !measures && <output className="viewer-said">{t.inventedHere}</output>}
        {error !== "" && (
          <p className="viewer-error" role="alert">
            {error}
          </p>
        )}
      </div>
      <div className="viewer-bar" role="toolbar" aria-label={t.bar}>
        <Segmented<Mode> legend={t.show} choices={choices} value={mode} onChange={setMode} />
        <div className="toolbar-group">
          <label className="light" title={lit ? t.light : t.onlyMesh}>
            <Sun aria-hidden="true" />
            <span className="visually-hidden">{t.light}</span>
            <input
              type="range"
              min={0.2}
              max={2}
              step={0.05}
              value={light}
              disabled={!lit}
              onChange={(event) => setLight(event.target.valueAsNumber)}
            />
          </label>
          <Toggle label={t.turn} on={turning} onToggle={() => setTurning(!turning)}>
            <RotateCw />
          </Toggle>
          {metres && (
            <Toggle
              label={t.measure}
              on={measures}
              disabled={mode !== "mesh"}
              onToggle={() => {
                setTurning(false);
                setMeasuring(!measuring);
              }}
            >
              <Ruler />
            </Toggle>
          )}
          {asInPhoto.known && (
            <Toggle
              label={t.invented}
              on={invents}
              disabled={mode !== "mesh"}
              onToggle={() => setInventing(!inventing)}
            >
              <EyeOff />
            </Toggle>
          )}
          <button
            type="button"
            className="icon-button"
            aria-label={home}
            title={home}
            onClick={() => {
              setTurning(false);
              scene?.look();
            }}
          >
            <Maximize />
          </button>
        </div>
      </div>
      <ViewerMore
        name={name}
        scene={scene}
        frame={frame}
        ready={loading === null && !error}
        photo={asInPhoto.known}
      />
      {together && (
        <fieldset className="viewer-objects" disabled={FILE_OF[mode] !== "mesh"}>
          <legend className="visually-hidden">{t.objects}</legend>
          {together.map((object, n) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: names may be alike, their order is fixed.
            <label className="check" key={n}>
              <input
                type="checkbox"
                checked={!hidden.has(n)}
                onChange={(event) => setHidden(toggled(hidden, n, !event.target.checked))}
              />
              {object}
            </label>
          ))}
        </fieldset>
      )}
    </section>
  );
}

interface ToggleProps {
  label: string;
  on: boolean;
  disabled?: boolean;
  onToggle: () => void;
  children: ReactNode;
}

function Toggle({ label, on, disabled = false, onToggle, children }: ToggleProps) {
  return (
    <button
      type="button"
      className="icon-button"
      aria-label={label}
      title={label}
      aria-pressed={on}
      disabled={disabled}
      onClick={onToggle}
    >
      {children}
    </button>
  );
}

/** A picture so that of it a part fills what it lies in. */
function below({ left, top, width, height }: Part) {
  const share = (value: number) => `${100 * value}%`;
  return {
    left: share(-left / width),
    top: share(-top / height),
    width: share(1 / width),
    height: share(1 / height),
  };
}

function toggled(set: ReadonlySet<number>, n: number, on: boolean): ReadonlySet<number> {
  const next = new Set(set);
  if (on) next.add(n);
  else next.delete(n);
  return next;
}

/** The scene for a canvas, and what a mode needs in it. */
function useScene(
  mode: Mode,
  meshUrl: string | null,
  splatUrl: string | null,
  together: boolean,
  looksAsPhoto: boolean,
) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const frame = useRef<HTMLDivElement>(null);
  const [scene, setScene] = useState<ObjectScene | null>(null);
  const [loading, setLoading] = useState<number | null>(null);
  const [error, setError] = useState("");
  const [attempt, setAttempt] = useState(0);
  const { lost } = useConnection();
  const unloaded = scene !== null && error !== "" && lost;
  useWaiting(unloaded ? attempt : null, texts(said).waiting, () => setAttempt(attempt + 1));
  const [asInPhoto, setAsInPhoto] = useState<AsInPhoto>({ known: false, through: null });
  // Links are signed anew now and then; the files are the same, and so the scene stays.
  const meshFile = meshUrl && fileOf(meshUrl);
  const splatFile = splatUrl && fileOf(splatUrl);
  const urlOf = useEffectEvent((shown: Mode) => (FILE_OF[shown] === "mesh" ? meshUrl : splatUrl));

  // biome-ignore lint/correctness/useExhaustiveDependencies: another object needs another scene.
  useEffect(() => {
    const element = canvas.current;
    const around = frame.current;
    if (!element || !around) return;
    let made: ObjectScene;
    try {
      made = new ObjectScene(element, {
        onDrawn: (drawn) => {
          element.dataset.drawn = drawn;
        },
        onPhoto: setAsInPhoto,
        together,
        looksAsPhoto,
        loadSplats: () => loaded(texts(files).viewer, () => import("./splats")),
      });
    } catch {
      setError(texts(said).noWebGl);
      return;
    }
    const observer = new ResizeObserver(() => made.resize(around.clientWidth, around.clientHeight));
    observer.observe(around);
    setAsInPhoto({ known: false, through: null });
    setScene(made);
    return () => {
      observer.disconnect();
      made.dispose();
    };
  }, [meshFile, splatFile, together, looksAsPhoto]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: another attempt loads anew.
  useEffect(() => {
    if (!scene) return;
    let current = true;
    setError("");
    setLoading(0);
    scene
      .show(mode, urlOf(mode) ?? "", (share) => current && setLoading(share))
      .catch((failure) => {
        console.warn("Viewer", failure);
        if (current) setError(texts(said).unloaded);
      })
      .finally(() => current && setLoading(null));
    return () => {
      current = false;
    };
  }, [scene, mode, attempt]);

  return { canvas, frame, scene, loading, error, asInPhoto };
}
