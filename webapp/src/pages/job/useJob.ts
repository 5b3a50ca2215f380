import { useQuery, useQueryClient } from "@tanstack/react-query";
import type { JobStatus, JobView } from "../../api/types";
import { useServices } from "../../services";

/** Milliseconds between two looks at a job: at work, waiting (for another tab, say), ended. */
function pace(status: JobStatus | undefined): number | false {
  if (status === "INITIALIZING" || status === "RECONSTRUCTING") return 2000;
  return status === "AWAITING_MASK" ? 20_000 : false;
}

/** A job, looked at again while the machine works on it. */
export function useJob(jobId: string) {
  const { api } = useServices();
  return useQuery({
    queryKey: ["job", jobId],
    queryFn: () => api.getJob(jobId),
    refetchInterval: ({ state }) => pace(state.data?.status),
    refetchIntervalInBackground: true,
  });
}

/** Put a newer view of a job in place, or have it read again. */
export function useJobUpdate(jobId: string) {
  const queries = useQueryClient();
  return {
    put: async (job: JobView) => {
      // An answer that is still on its way is older than this one.
      await queries.cancelQueries({ queryKey: ["job", jobId] });
      queries.setQueryData(["job", jobId], job);
    },
    read: () => queries.invalidateQueries({ queryKey: ["job", jobId] }),
  };
}
