import { RotateCcw } from "lucide-react";
import type { JobView } from "../../api/types";
import { common } from "../../texts/en/common";
import { useTexts } from "../../texts/texts";
import { ErrorNote } from "../../ui/ErrorNote";
import { useRetry } from "./useRetry";

/** Have the same job go on where it ended; what exists of it stays. */
export function TryAgain({ job }: { job: JobView }) {
  const t = useTexts(common);
  const { retry, busy, error } = useRetry(job);
  return (
    <>
      <button type="button" className="button" disabled={busy} onClick={() => void retry()}>
        <RotateCcw aria-hidden="true" /> {busy ? t.starting : t.tryAgain}
      </button>
      {error !== null && <ErrorNote error={error} />}
    </>
  );
}
