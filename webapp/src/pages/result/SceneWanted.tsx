import { Image } from "lucide-react";
import type { JobView } from "../../api/types";
import { ErrorNote } from "../../ui/ErrorNote";
import { useRetry } from "../job/useRetry";

/** Of several objects a scene is made at any rate; of one, where somebody wants it. */
export function SceneWanted({ job }: { job: JobView }) {
  const { retry, busy, error } = useRetry(job);
  if (job.scene || job.status !== "COMPLETED") return null;
  return (
    <>
      <button
        type="button"
        className="button button-quiet"
        disabled={busy}
        onClick={() => void retry(undefined, true)}
      >
        <Image aria-hidden="true" /> {busy ? "Starting…" : "Set it into the photo"}
      </button>
      {error !== null && <ErrorNote error={error} />}
    </>
  );
}
