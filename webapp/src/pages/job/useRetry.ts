import { useState } from "react";
import type { Chosen } from "../../api/chosen";
import { ApiError } from "../../api/error";
import type { JobView, ObjectAgain } from "../../api/types";
import { useServices } from "../../services";
import { useJobUpdate } from "./useJob";

/** Having a job go on where it ended, or objects of it made anew. */
export function useRetry(job: JobView) {
  const { api } = useServices();
  const { accept, read } = useJobUpdate(job.jobId);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);

  /** Whether the server has taken it up. */
  async function retry(objects?: Chosen<ObjectAgain>[], scene = false): Promise<boolean> {
    setBusy(true);
    setError(null);
    try {
      await accept(await api.retryJob(job.jobId, objects, scene), "INITIALIZING");
      return true;
    } catch (failure) {
      setError(failure);
      // It may have been taken up before, and only the answer been lost.
      if (failure instanceof ApiError && (failure.status === 0 || failure.status === 409)) {
        await read();
      }
      return false;
    } finally {
      setBusy(false);
    }
  }

  return { retry, busy, error };
}
