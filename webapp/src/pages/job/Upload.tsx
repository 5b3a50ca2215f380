import { useCallback, useEffect, useRef, useState } from "react";
import { Link, useLocation } from "wouter";
import { ApiError } from "../../api/error";
import type { JobView } from "../../api/types";
import { drop, kept } from "../../kept/kept";
import { type Delivered, deliver, startAnew } from "../../photo/deliver";
import type { Photo } from "../../photo/photo";
import { useServices } from "../../services";
import { common } from "../../texts/en/common";
import { job as said } from "../../texts/en/job";
import { useTexts } from "../../texts/texts";
import { isOffline } from "../../ui/connection";
import { ErrorNote } from "../../ui/ErrorNote";
import { Progress } from "../../ui/Progress";
import { Spinner } from "../../ui/Spinner";
import { useAutoRetry } from "../../ui/useAutoRetry";
import { PhotoDrop } from "../PhotoDrop";
import { useJobUpdate } from "./useJob";

/** Send the photo that is kept, then start the job. After a reload it goes on by itself. */
export function Upload({ job }: { job: JobView }) {
  const t = useTexts(said);
  const words = useTexts(common);
  const { api } = useServices();
  const [, navigate] = useLocation();
  const { accept, read } = useJobUpdate(job.jobId);
  /** Null where this browser does not have it. */
  const [photo, setPhoto] = useState<Blob | null | undefined>();
  const [share, setShare] = useState(0);
  const [error, setError] = useState<unknown>(null);
  const [wanting, setWanting] = useState<"missing" | "refused" | null>(null);
  const working = useRef(false);
  const text = useRef<string | null>(null);
  const { jobId } = job;

  /** One try at a time, and what becomes of it. */
  const work = useCallback(
    async (task: () => Promise<Delivered>) => {
      if (working.current) return;
      working.current = true;
      setError(null);
      setWanting(null);
      setShare(0);
      try {
        const done = await task();
        if ("begun" in done) await accept(done.begun, "INITIALIZING");
        else if ("instead" in done) navigate(`/jobs/${done.instead}`, { replace: true });
        else setWanting("missing");
      } catch (failure) {
        setError(failure);
        if (failure instanceof ApiError && failure.refusesPhoto) {
          // The same file would be refused again.
          text.current = (await kept("photo", jobId))?.text ?? null;
          await drop("photo", jobId);
          setWanting("refused");
        } else if (failure instanceof ApiError && failure.status === 409) {
          await read();
        }
      } finally {
        working.current = false;
      }
    },
    [accept, jobId, navigate, read],
  );

  const send = () => void work(() => deliver(api, job, { photo: setPhoto, progress: setShare }));
  const first = useRef(send);
  useEffect(() => first.current(), []);
  useAutoRetry(wanting ? null : error, t.waitingUpload, send);

  if (wanting) {
    return (
      <section className="narrow-step">
        <h2>{wanting === "refused" ? t.another : t.missing}</h2>
        {wanting === "missing" && <p className="muted">{t.aboutMissing(job.filename)}</p>}
        {error !== null && <ErrorNote error={error} />}
        <PhotoDrop
          onPhoto={({ blob, name }: Photo) =>
            void work(() =>
              startAnew(api, { ...job, filename: name }, { blob, text: text.current }),
            )
          }
          samples={false}
        />
        <p className="actions">
          <Link href="/" className="button button-quiet">
            {words.startAnew}
          </Link>
        </p>
      </section>
    );
  }
  if (photo === undefined) return <Spinner label={words.loading} />;
  return (
    <section className="narrow-step" aria-live="polite">
      <h2>{share < 1 ? t.uploading : t.checking}</h2>
      {photo && <Picture blob={photo} />}
      {error === null || isOffline(error) ? (
        <Progress label={t.upload} share={share < 1 ? share : null} />
      ) : (
        <ErrorNote error={error}>
          <button type="button" className="button" onClick={send}>
            {words.tryAgain}
          </button>
        </ErrorNote>
      )}
    </section>
  );
}

function Picture({ blob }: { blob: Blob }) {
  const t = useTexts(said);
  const [url, setUrl] = useState("");
  useEffect(() => {
    const made = URL.createObjectURL(blob);
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [blob]);
  return url ? <img className="step-picture" src={url} alt={t.yours} /> : null;
}
