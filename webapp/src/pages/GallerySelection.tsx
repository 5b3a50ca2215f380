import { Download, Trash2, X } from "lucide-react";
import { useState } from "react";
import type { JobSummary } from "../api/types";
import { useServices } from "../services";
import { Confirm } from "../ui/Confirm";
import { ErrorNote } from "../ui/ErrorNote";
import { Progress } from "../ui/Progress";
import { useDialogTask } from "../ui/useDialogTask";
import { filesOfJobs } from "./result/packing";
import { usePacking } from "./usePacking";
import { useRemove } from "./useRemove";

interface Props {
  chosen: readonly JobSummary[];
  all: readonly JobSummary[];
  choose(jobs: readonly JobSummary[]): void;
  end(): void;
}

/** What is done with several jobs at once. */
export function GallerySelection({ chosen, all, choose, end }: Props) {
  const { api } = useServices();
  const remove = useRemove();
  const [asking, setAsking] = useState(false);
  const { work, leave, busy, error } = useDialogTask(() => setAsking(false));
  const { pack, share, error: failure } = usePacking();

  async function files() {
    const jobs = [];
    for (const { jobId } of chosen) jobs.push(await api.getJob(jobId));
    const found = filesOfJobs(jobs);
    if (found.length === 0) throw new Error("None of these has a model yet. Choose one that has.");
    return found;
  }

  const none = chosen.length === 0;
  return (
    <section className="gallery-selection" aria-label="Selected jobs">
      <span role="status">{chosen.length} selected</span>
      <button
        type="button"
        className="button button-quiet button-small"
        onClick={() => choose(chosen.length === all.length ? [] : all)}
      >
        {chosen.length === all.length ? "None" : "All shown"}
      </button>
      <button
        type="button"
        className="button button-quiet button-small"
        disabled={none || share !== null}
        onClick={() => void pack("models.zip", files)}
      >
        <Download aria-hidden="true" /> {share === null ? "Download" : "Packing…"}
      </button>
      <button
        type="button"
        className="button button-quiet button-small"
        disabled={none}
        onClick={() => setAsking(true)}
      >
        <Trash2 aria-hidden="true" /> Delete
      </button>
      <button type="button" className="button button-quiet button-small" onClick={end}>
        <X aria-hidden="true" /> Done
      </button>
      {share !== null && <Progress label="Packing the ZIP" share={share} />}
      {failure !== null && <ErrorNote error={failure} />}
      <Confirm
        open={asking}
        title={chosen.length === 1 ? "Delete this job?" : `Delete ${chosen.length} jobs?`}
        what="Delete"
        confirm={() =>
          void work(async () => {
            for (const job of chosen) await remove(job);
          })
        }
        {...{ leave, busy, error }}
      >
        Their photos, masks and models are removed for good.
      </Confirm>
    </section>
  );
}
