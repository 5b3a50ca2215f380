import { useCallback, useEffect, useRef, useState } from "react";
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
  const started = useRef(false);
  const { jobId, prefix, contentType } = job;

  const send = useCallback(async () => {
    setError(null);
    const found = await kept("photo", jobId);
    setPhoto(found?.blob ?? null);
    if (!found) return;
    try {
      await uploadPhoto(prefix, contentType, found.blob, setShare);
      setShare(1);
      const initialized = await api.initialize(jobId, found.text);
      await put(initialized);
      await drop("photo", jobId);
    } catch (failure) {
      setError(failure);
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
        new PhotoError(`This job was announced as ${contentType}. Choose the same file again.`),
      );
      return;
    }
    await keep("photo", jobId, { blob: chosen.blob, text: null });
    await send();
  }

  if (photo === null) {
    return (
      <section className="narrow-step">
        <h2>The photo is missing</h2>
        <p className="muted">
          “{job.filename}” was never uploaded, and this browser does not have it. Choose it again.
        </p>
        {error !== null && <ErrorNote error={error} />}
        <PhotoDrop onPhoto={(chosen) => void chooseAgain(chosen)} samples={false} />
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
