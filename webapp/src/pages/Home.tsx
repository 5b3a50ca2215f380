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
import { app } from "../texts/en/app";
import { auth } from "../texts/en/auth";
import { common } from "../texts/en/common";
import { home } from "../texts/en/home";
import { texts, useTexts } from "../texts/texts";
import { isOffline } from "../ui/connection";
import { ErrorNote } from "../ui/ErrorNote";
import { lazily } from "../ui/lazily";
import { OnSight } from "../ui/OnSight";
import { Spinner } from "../ui/Spinner";
import { useAutoRetry } from "../ui/useAutoRetry";
import { PhotoDrop } from "./PhotoDrop";

const SignIn = lazily(
  () => texts(app).parts.signIn,
  () => import("../auth/SignIn"),
);

const Examples = lazily(
  () => texts(home).examples,
  () => import("./examples/Examples"),
);

/** Set in the tab in which a photo was chosen: a visit on another day starts afresh. */
const CHOSEN = "gen3d-chosen";

/** A job is being created, perhaps for a first page that was left meanwhile. */
let creating = false;

/** The first page: what this is, and a place for a photo. */
export function Home() {
  const t = useTexts(home);
  const form = useTexts(auth);
  const { tryAgain } = useTexts(common);
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
  useAutoRetry(waits ? error : null, t.waiting, () => photo && void start(photo));

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
        <h1>{t.oneStep}</h1>
        <p className="muted">
          {config.selfSignUp ? t.signInOrUp(photo.name) : t.signIn(photo.name)}
        </p>
        <Suspense fallback={<Spinner label={form.loading} />}>
          <SignIn />
        </Suspense>
        <p className="actions centred">
          <button
            type="button"
            className="button button-quiet"
            onClick={() => void chooseAnother()}
          >
            {t.another}
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
            {t.click}
            <br />
            {t.get}
          </h1>
          <p className="lead">{t.lead}</p>
          <ol className="how">
            {Object.values(t.steps).map(({ title, about }) => (
              <li key={title}>
                <div>
                  <strong>{title}</strong>
                  <p>{about}</p>
                </div>
              </li>
            ))}
          </ol>
        </div>
        <div className="hero-drop">
          {photo && (error === null || waits) ? (
            <div className="card starting">
              {person ? <Spinner label={t.creating} /> : <LookingUp />}
            </div>
          ) : (
            <>
              {error !== null && (
                <ErrorNote error={error}>
                  {photo && (
                    <button type="button" className="button" onClick={() => void start(photo)}>
                      {tryAgain}
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
      <OnSight className="examples" margin="120px">
        <Suspense>
          <Examples />
        </Suspense>
      </OnSight>
      <p className="small home-more">
        <Link href="/api">{t.api}</Link>
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
  const t = useTexts(home);
  return (
    <details className="small">
      <summary>{t.addDepth}</summary>
      <label className="look-for">
        <span>{t.depth}</span>
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
  const t = useTexts(home);
  return (
    <label className="look-for">
      <span>{t.whatIsIt}</span>
      <input
        className="input"
        type="text"
        value={text}
        maxLength={MAX_TEXT}
        placeholder={t.chair}
        onChange={(event) => onText(event.target.value)}
      />
    </label>
  );
}
