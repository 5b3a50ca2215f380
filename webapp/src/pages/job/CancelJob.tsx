import { useState } from "react";
import { RUNNING } from "../../api/domain";
import type { JobView } from "../../api/types";
import { useServices } from "../../services";
import { job as said } from "../../texts/en/job";
import { useTexts } from "../../texts/texts";
import { Confirm } from "../../ui/Confirm";
import { useDialogTask } from "../../ui/useDialogTask";
import { useJobUpdate } from "./useJob";

/** Stop a job that is still running. */
export function CancelJob({ job }: { job: JobView }) {
  const t = useTexts(said);
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
        {t.cancel}
      </button>
      <Confirm
        open={asking}
        title={t.askCancel}
        what={t.cancel}
        confirm={() => void cancel()}
        {...{ leave, busy, error }}
      >
        {t.cancelled}
      </Confirm>
    </>
  );
}
