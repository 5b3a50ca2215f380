import { RotateCcw } from "lucide-react";
import type { JobView } from "../../api/types";
import { ErrorNote } from "../../ui/ErrorNote";
import { useRetry } from "./useRetry";

/** Have the same job go on where it ended; what exists of it stays. */
export function TryAgain({ job }: { job: JobView }) {
  const { retry, busy, error } = useRetry(job);
  return (
    <>
      <button type="button" className="button" disabled={busy} onClick={() => void retry()}>
        <RotateCcw aria-hidden="true" /> {busy ? "Starting…" : "Try again"}
      </button>
      {error !== null && <ErrorNote error={error} />}
    </>
  );
}
