import { Suspense, useCallback, useEffect, useRef, useState } from "react";
import { Link, useLocation } from "wouter";
import { MAX_TEXT } from "../api/domain";
import { LookingUp } from "../auth/RequireSession";
import { useSession } from "../auth/session";
import { drop, keep, kept, NO_JOB } from "../kept/kept";
import { note, noted } from "../kept/notes";
import { keepPhoto } from "../photo/deliver";
import type { Photo } from "../photo/photo";
import { useServices } from "../services";
import { isOffline } from "../ui/connection";
import { ErrorNote } from "../ui/ErrorNote";
import { lazily } from "../ui/lazily";
import { Spinner } from "../ui/Spinner";
import { useAutoRetry } from "../ui/useAutoRetry";
import { PhotoDrop } from "./PhotoDrop";

const SignIn = lazily(
  () => "the form to sign in",
  () => import("../auth/SignIn"),
);

const STEPS = [
  [
    "Add a photo",
    "Any photo of a thing: a cup, a chair, a cat. JPEG, PNG or WebP up to 20\u00a0MB.",
  ],
  ["Click the object", "The mask answers every click at once. Up to eight objects in a photo."],
  ["Get the mesh", "GLB, USDZ, OBJ, STL, 3MF and the splat. A mail comes when it is ready."],
] as const;

/** Set in the tab in which a photo was chosen: a visit on another day starts afresh. */
const CHOSEN = "gen3d-chosen";

/** A job is being created, perhaps for a first page that was left meanwhile. */
let creating = false;

/** The first page: what this is, and a place for a photo. */
export function Home() {
  const { api, config } = useServices();
  const { person } = useSession();
  const [, navigate] = useLocation();
  const [photo, setPhoto] = useState<Photo | null>(null);
  const [text, setText] = useState("");
  const [depth, setDepth] = useState<Blob | null>(null);
  const [error, setError] = useState<unknown>(null);
  const started = useRef<Photo | null>(null);

  const start = useCallback(
    async (chosen: Photo) => {
      setError(null);
      creating = true;
      try {
        const about = depth ? { depth: true } : {};
        const created = await api.createJob(chosen.name, chosen.type, about);
        await keepPhoto(created, { blob: chosen.blob, text: text.trim() || null }, depth);
        await forgetChoice();
        navigate(`/jobs/${created.jobId}`);
      } catch (failure) {
        setError(failure);
      } finally {
        creating = false;
      }
    },
    [api, navigate, text, depth],
  );

  // What was chosen before a reload, or before the way over another page.
  useEffect(() => {
    if (creating || !noted("sessionStorage", CHOSEN)) return;
    void kept("choice", NO_JOB).then((found) => {
      if (!found) return;
      setPhoto((chosen) => chosen ?? found.photo);
      setText((typed) => typed || found.text);
      setDepth((chosen) => chosen ?? found.depth ?? null);
    });
  }, []);

  // As soon as there are both, a photo and a person, whichever came first.
  useEffect(() => {
    if (!photo || !person || started.current === photo) return;
    started.current = photo;
    void start(photo);
  }, [photo, person, start]);

  const waits = photo !== null && isOffline(error);
  useAutoRetry(waits ? error : null, "your new job", () => photo && void start(photo));

  async function choose(chosen: Photo): Promise<void> {
    note("sessionStorage", CHOSEN, "yes");
    await keep("choice", NO_JOB, { photo: chosen, text, depth });
    setPhoto(chosen);
  }

  async function chooseAnother(): Promise<void> {
    await forgetChoice();
    setPhoto(null);
  }

  if (photo && person === null) {
    return (
      <section className="sign-in">
        <h1>One step before</h1>
        <p className="muted">
          Sign in{config.selfSignUp && " or create an account"}, so that “{photo.name}” and its
          model are yours alone. The photo is kept.
        </p>
        <Suspense fallback={<Spinner label="Loading the form" />}>
          <SignIn />
        </Suspense>
        <p className="actions centred">
          <button
            type="button"
            className="button button-quiet"
            onClick={() => void chooseAnother()}
          >
            Choose another photo
          </button>
        </p>
      </section>
    );
  }
  return (
    <div className="page home">
      <section className="hero">
        <div className="hero-text">
          <h1>
            Click an object.
            <br />
            Get its mesh.
          </h1>
          <p className="lead">
            Gen3D turns an object in a photo into a textured 3D model that you can turn, download
            and print.
          </p>
          <ol className="how">
            {STEPS.map(([title, text]) => (
              <li key={title}>
                <div>
                  <strong>{title}</strong>
                  <p>{text}</p>
                </div>
              </li>
            ))}
          </ol>
        </div>
        <div className="hero-drop">
          {photo && (error === null || waits) ? (
            <div className="card starting">
              {person ? <Spinner label="Creating the job" /> : <LookingUp />}
            </div>
          ) : (
            <>
              {error !== null && (
                <ErrorNote error={error}>
                  {photo && (
                    <button type="button" className="button" onClick={() => void start(photo)}>
                      Try again
                    </button>
                  )}
                </ErrorNote>
              )}
              {config.engine === "sam" && <LookFor text={text} onText={setText} />}
              <PhotoDrop onPhoto={(chosen) => void choose(chosen)} />
              {config.engine === "sam" && <Measured onDepth={setDepth} />}
            </>
          )}
        </div>
      </section>
      <p className="small home-more">
        <Link href="/api">The API, for programs</Link>
      </p>
    </div>
  );
}

async function forgetChoice(): Promise<void> {
  note("sessionStorage", CHOSEN, null);
  await drop("choice", NO_JOB);
}

/** For engines that go by distances that a phone has measured. */
function Measured({ onDepth }: { onDepth(depth: Blob | null): void }) {
  return (
    <details className="small">
      <summary>Add a depth map first</summary>
      <label className="look-for">
        <span>
          A grey PNG of 16 bits, in millimetres, as apps for phones with LiDAR save it beside the
          photo. What is made is then in metres.
        </span>
        <input
          className="input"
          type="file"
          accept="image/png"
          onChange={(event) => onDepth(event.target.files?.[0] ?? null)}
        />
      </label>
    </details>
  );
}

/** For engines that find things by their names. */
function LookFor({ text, onText }: { text: string; onText(text: string): void }) {
  return (
    <label className="look-for">
      <span>What is it? (optional)</span>
      <input
        className="input"
        type="text"
        value={text}
        maxLength={MAX_TEXT}
        placeholder="chair"
        onChange={(event) => onText(event.target.value)}
      />
    </label>
  );
}
