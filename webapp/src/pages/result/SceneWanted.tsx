import { Image } from "lucide-react";
import type { JobView } from "../../api/types";
import { common } from "../../texts/en/common";
import { result as said } from "../../texts/en/result";
import { useTexts } from "../../texts/texts";
import { ErrorNote } from "../../ui/ErrorNote";
import { useRetry } from "../job/useRetry";

/** Of several objects a scene is made at any rate; of one, where somebody wants it. */
export function SceneWanted({ job }: { job: JobView }) {
  const t = useTexts(said);
  const { starting } = useTexts(common);
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
        <Image aria-hidden="true" /> {busy ? starting : t.setIntoPhoto}
      </button>
      {error !== null && <ErrorNote error={error} />}
    </>
  );
}
