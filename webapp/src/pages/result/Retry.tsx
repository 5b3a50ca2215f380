import { Dices } from "lucide-react";
import { useState } from "react";
import { useLocation } from "wouter";
import { ApiError, messageOf } from "../../api/error";
import type { JobView } from "../../api/types";
import { keep } from "../../kept/kept";
import { useServices } from "../../services";

/** Once more with another seed: a new job from the same photo and masks, which sends itself. */
export function Retry({ job }: { job: JobView }) {
  const { api } = useServices();
  const [, navigate] = useLocation();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState("");

  async function retry(): Promise<void> {
    setBusy(true);
    setError("");
    try {
      const photo = await read(job.image?.url);
      const objects = await Promise.all(
        job.objects.map(async ({ name, mask, seed }) => ({
          name,
          seed: anotherSeed(seed),
          mask: await read(mask?.url),
        })),
      );
      const { jobId } = await api.createJob(job.filename, job.contentType);
      await keep("photo", jobId, { blob: photo, text: null });
      await keep("submission", jobId, { objects });
      navigate(`/jobs/${jobId}`);
    } catch (failure) {
      setError(messageOf(failure));
      setBusy(false);
    }
  }

  return (
    <>
      <button
        type="button"
        className="button button-quiet"
        disabled={busy}
        title="A new job from the same photo and masks"
        onClick={() => void retry()}
      >
        <Dices aria-hidden="true" /> {busy ? "Starting…" : "Try another seed"}
      </button>
      {error && <p role="alert">{error}</p>}
    </>
  );
}

async function read(url: string | undefined): Promise<Blob> {
  const response = url ? await fetch(url).catch(() => null) : null;
  if (!response?.ok) {
    throw new ApiError(
      "Offline",
      "The photo or a mask could not be read. Reload and try again.",
      0,
    );
  }
  return response.blob();
}

function anotherSeed(seed: number): number {
  const drawn = 1 + ((crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) % 9999);
  return drawn === seed ? drawn + 1 : drawn;
}
