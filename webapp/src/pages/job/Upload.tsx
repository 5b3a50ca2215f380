import { useCallback, useEffect, useRef, useState } from "react";
import { Link } from "wouter";
import { ApiError } from "../../api/error";
import type { JobView } from "../../api/types";
import { drop, keep, kept } from "../../kept/kept";
import { type Photo, PhotoError } from "../../photo/photo";
import { uploadPhoto } from "../../photo/upload";
import { useServices } from "../../services";
import { ErrorNote } from "../../ui/ErrorNote";
import { Progress } from "../../ui/Progress";
import { PhotoDrop } from "../PhotoDrop";
import { useJobUpdate } from "./useJob";

/** Send the photo that is kept, then start the job. After a reload it starts over by itself. */
export function Upload({ job }: { job: JobView }) {
  const { api } = useServices();
  const { put } = useJobUpdate(job.jobId);
  const [photo, setPhoto] = useState<Blob | null | undefined>();
  const [share, setShare] = useState(0);
  const [error, setError] = useState<unknown>(null);
  const [refused, setRefused] = useState(false);
  const started = useRef(false);
  const text = useRef<string | null>(null);
  const { jobId, prefix, contentType } = job;

  const send = useCallback(async () => {
    setError(null);
    setRefused(false);
    setShare(0);
    const found = await kept("photo", jobId);
    setPhoto(found?.blob ?? null);
    if (!found) return;
    text.current = found.text;
    try {
      await uploadPhoto(prefix, contentType, found.blob, setShare);
      setShare(1);
      const initialized = await api.initialize(jobId, found.text);
      await put(initialized);
      await drop("photo", jobId);
    } catch (failure) {
      setError(failure);
      if (!(failure instanceof ApiError && failure.refusesPhoto)) return;
      // The same file would be refused again.
      await drop("photo", jobId);
      setRefused(true);
      setPhoto(null);
    }
  }, [api, jobId, prefix, contentType, put]);

  useEffect(() => {
    if (started.current) return;
    started.current = true;
    void send();
  }, [send]);

  async function chooseAgain(chosen: Photo): Promise<void> {
    if (chosen.type !== contentType) {
      setError(
        new PhotoError(`This job takes ${contentType} alone. Choose such a file, or start anew.`),
      );
      return;
    }
    await keep("photo", jobId, { blob: chosen.blob, text: text.current });
    await send();
  }

  if (photo === null) {
    return (
      <section className="narrow-step">
        <h2>{refused ? "Choose another photo" : "The photo is missing"}</h2>
        {!refused && (
          <p className="muted">
            “{job.filename}” was never uploaded, and this browser does not have it. Choose it again.
          </p>
        )}
        {error !== null && <ErrorNote error={error} />}
        <PhotoDrop onPhoto={(chosen) => void chooseAgain(chosen)} samples={false} />
        <p className="actions">
          <Link href="/" className="button button-quiet">
            Start anew
          </Link>
        </p>
      </section>
    );
  }
  return (
    <section className="narrow-step" aria-live="polite">
      <h2>{share < 1 ? "Uploading the photo" : "Checking the photo"}</h2>
      {photo && <Picture blob={photo} />}
      {error === null ? (
        <Progress label="Upload" share={share < 1 ? share : null} />
      ) : (
        <ErrorNote error={error}>
          <button type="button" className="button" onClick={() => void send()}>
            Try again
          </button>
        </ErrorNote>
      )}
    </section>
  );
}

function Picture({ blob }: { blob: Blob }) {
  const [url, setUrl] = useState("");
  useEffect(() => {
    const made = URL.createObjectURL(blob);
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [blob]);
  return url ? <img className="step-picture" src={url} alt="Yours" /> : null;
}
