import { useQuery, useQueryClient } from "@tanstack/react-query";
import type { JobStatus, JobView } from "../../api/types";
import { useServices } from "../../services";

/** Milliseconds between two looks at a job; false where it changes only by the person's doing. */
function pace(status: JobStatus | undefined): number | false {
  return status === "INITIALIZING" || status === "RECONSTRUCTING" ? 2000 : false;
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
    put: (job: JobView) => queries.setQueryData(["job", jobId], job),
    read: () => queries.invalidateQueries({ queryKey: ["job", jobId] }),
  };
}
