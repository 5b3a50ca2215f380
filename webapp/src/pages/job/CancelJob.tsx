import { useState } from "react";
import { RUNNING } from "../../api/domain";
import type { JobView } from "../../api/types";
import { useServices } from "../../services";
import { Confirm } from "../../ui/Confirm";
import { useDialogTask } from "../../ui/useDialogTask";
import { useJobUpdate } from "./useJob";

/** Stop a job that is still running. */
export function CancelJob({ job }: { job: JobView }) {
  const { api } = useServices();
  const { accept, read } = useJobUpdate(job.jobId);
  const [asking, setAsking] = useState(false);
  const { work, leave, busy, error } = useDialogTask(() => setAsking(false));
  if (!RUNNING.includes(job.status)) return null;

  async function cancel(): Promise<void> {
    // One that has ended meanwhile stays as it is, and its page shows what it became.
    await work(async () => accept(await api.cancelJob(job.jobId), "CANCELLED"));
    await read();
  }

  return (
    <>
      <button type="button" className="button button-quiet" onClick={() => setAsking(true)}>
        Cancel the job
      </button>
      <Confirm
        open={asking}
        title="Cancel this job?"
        what="Cancel the job"
        confirm={() => void cancel()}
        {...{ leave, busy, error }}
      >
        What is being made is stopped. The photo and what exists by now are kept: the job can be
        tried again, or deleted in the gallery.
      </Confirm>
    </>
  );
}
