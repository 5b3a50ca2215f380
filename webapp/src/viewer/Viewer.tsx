import { Box, ChartScatter, Grid3x3, Maximize, RotateCw, Sparkles, Sun } from "lucide-react";
import { useEffect, useEffectEvent, useRef, useState } from "react";
import { messageOf } from "../api/error";
import { fileOf } from "../api/links";
import { Progress } from "../ui/Progress";
import { type Choice, Segmented } from "../ui/Segmented";
import { FILE_OF, type Mode, ObjectScene } from "./scene";
import "./viewer.css";

interface Props {
  name: string;
  meshUrl: string | null;
  splatUrl: string | null;
  /** Whether the model is to be told from the one that takes its place. */
  draft?: boolean;
}

const MODES: readonly Choice<Mode>[] = [
  { value: "mesh", label: "Mesh", icon: <Box /> },
  { value: "splat", label: "Splat", icon: <Sparkles /> },
  { value: "wireframe", label: "Wires", icon: <Grid3x3 /> },
  { value: "points", label: "Points", icon: <ChartScatter /> },
];

/** An object to turn: its mesh, its splat, its wires, its points, of which there is a file for. */
export default function Viewer({ name, meshUrl, splatUrl, draft = false }: Props) {
  const [mode, setMode] = useState<Mode>(meshUrl ? "mesh" : "splat");
  const [light, setLight] = useState(1);
  const [turning, setTurning] = useState(false);
  const { canvas, frame, scene, loading, error } = useScene(mode, meshUrl, splatUrl);

  useEffect(() => scene?.light(light), [scene, light]);
  useEffect(() => scene?.turn(turning), [scene, turning]);

  const choices = MODES.filter(({ value }) => (FILE_OF[value] === "mesh" ? meshUrl : splatUrl));
  const lit = mode === "mesh";
  return (
    <section className="viewer" aria-label={`3D view of ${draft ? "a draft of " : ""}${name}`}>
      <div className="viewer-frame" ref={frame}>
        {/* biome-ignore lint/a11y/noInteractiveElementToNoninteractiveRole: readers pass its keys on. */}
        <canvas
          ref={canvas}
          tabIndex={0}
          role="application"
          aria-label={`${name}, as ${mode}. Drag or press the arrow keys to turn, scroll or press plus and minus to come closer and go away.`}
        />
        {draft && <span className="badge">Draft</span>}
        {loading !== null && (
          <div className="viewer-loading">
            <Progress label={`Loading the ${mode}`} share={loading || null} />
          </div>
        )}
        {error !== "" && (
          <p className="viewer-error" role="alert">
            {error}
          </p>
        )}
      </div>
      <div className="viewer-bar" role="toolbar" aria-label="View">
        <Segmented<Mode> legend="Show" choices={choices} value={mode} onChange={setMode} />
        <div className="toolbar-group">
          <label className="light" title={lit ? "Light" : "Only the mesh can be lit"}>
            <Sun aria-hidden="true" />
            <span className="visually-hidden">Light</span>
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
          <button
            type="button"
            className="icon-button"
            aria-label="Turn"
            title="Turn"
            aria-pressed={turning}
            onClick={() => setTurning(!turning)}
          >
            <RotateCw />
          </button>
          <button
            type="button"
            className="icon-button"
            aria-label="Whole object"
            title="Whole object"
            onClick={() => scene?.look()}
          >
            <Maximize />
          </button>
        </div>
      </div>
    </section>
  );
}

/** The scene for a canvas, and what a mode needs in it. */
function useScene(mode: Mode, meshUrl: string | null, splatUrl: string | null) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const frame = useRef<HTMLDivElement>(null);
  const [scene, setScene] = useState<ObjectScene | null>(null);
  const [loading, setLoading] = useState<number | null>(null);
  const [error, setError] = useState("");
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
      made = new ObjectScene(element, (drawn) => {
        element.dataset.drawn = drawn;
      });
    } catch {
      setError("This browser shows no 3D (WebGL 2 is missing). The downloads work all the same.");
      return;
    }
    const observer = new ResizeObserver(() => made.resize(around.clientWidth, around.clientHeight));
    observer.observe(around);
    setScene(made);
    return () => {
      observer.disconnect();
      made.dispose();
    };
  }, [meshFile, splatFile]);

  useEffect(() => {
    if (!scene) return;
    let current = true;
    setError("");
    setLoading(0);
    scene
      .show(mode, urlOf(mode) ?? "", (share) => current && setLoading(share))
      .catch((failure) => {
        console.warn("Viewer", messageOf(failure));
        if (current) setError("The model could not be loaded. Reload the page to try again.");
      })
      .finally(() => current && setLoading(null));
    return () => {
      current = false;
    };
  }, [scene, mode]);

  return { canvas, frame, scene, loading, error };
}
