import { type QueryClient, useQuery, useQueryClient } from "@tanstack/react-query";
import type { JobStatus, JobView } from "../../api/types";
import { useServices } from "../../services";

/**
 * Milliseconds between two looks at a job: at work, waiting (for another tab, say), ended. Of one
 * that has ended only the links change: they are good for an hour.
 */
export function pace(status: JobStatus | undefined): number | false {
  if (status === "INITIALIZING" || status === "RECONSTRUCTING") return 2000;
  if (status === "AWAITING_MASK") return 20_000;
  const linked = status === "COMPLETED" || status === "FAILED" || status === "EXPIRED";
  return linked ? 15 * 60_000 : false;
}

/** A job whose masks were taken: the record says so only a moment after the API's answer. */
export function taken(job: JobView): JobView {
  return job.status === "AWAITING_MASK" ? { ...job, status: "RECONSTRUCTING" } : job;
}

/** A view of a job that does not fall back behind an earlier one. */
export function onwards(earlier: JobView | undefined, job: JobView): JobView {
  return earlier?.status === "RECONSTRUCTING" ? taken(job) : job;
}

/** A job, looked at again as often as it may have changed. */
export function useJob(jobId: string) {
  const { api } = useServices();
  const queries = useQueryClient();
  return useQuery({
    queryKey: ["job", jobId],
    queryFn: async () => {
      const job = await api.getJob(jobId);
      return onwards(queries.getQueryData(["job", jobId]), job);
    },
    refetchInterval: ({ state }) => pace(state.data?.status),
    refetchIntervalInBackground: true,
  });
}

/** Put a newer view of a job in place; one that a sign-out has forgotten meanwhile stays so. */
export async function renew(queries: QueryClient, job: JobView): Promise<void> {
  const queryKey = ["job", job.jobId];
  // An answer that is still on its way is older than this one.
  await queries.cancelQueries({ queryKey });
  queries.setQueryData<JobView>(queryKey, (earlier) => earlier && onwards(earlier, job));
}

/** Ways to a newer view of a job: one that is there, or to have it read again. */
export function useJobUpdate(jobId: string) {
  const queries = useQueryClient();
  return {
    put: (job: JobView) => renew(queries, job),
    read: () => queries.invalidateQueries({ queryKey: ["job", jobId] }),
  };
}
