import { type ReactNode, useState } from "react";
import { useLocation } from "wouter";
import { ApiError, messageOf } from "../../api/error";
import type { JobView } from "../../api/types";
import { keep } from "../../kept/kept";
import { useServices } from "../../services";

/**
 * Once more with another seed: a new job from the same photo and masks, which go out as long as its
 * page is open. Where nothing was selected yet, from the photo alone.
 */
export function Retry({ job, children }: { job: JobView; children: ReactNode }) {
  const { api } = useServices();
  const [, navigate] = useLocation();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState("");
  const masked = job.objects.length > 0;

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
      // With its masks at hand, nothing has to be found by its name once more.
      await keep("photo", jobId, { blob: photo, text: masked ? null : job.text });
      if (masked) await keep("submission", jobId, { objects });
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
        title={`A new job from the same photo${masked ? " and masks" : ""}`}
        onClick={() => void retry()}
      >
        {busy ? "Starting…" : children}
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
