import { type InfiniteData, useQueryClient } from "@tanstack/react-query";
import type { JobPage, JobSummary } from "../api/types";
import { dropJob } from "../kept/kept";
import { useServices } from "../services";

/** Deletes a job, and shows what is left. */
export function useRemove(): (job: JobSummary) => Promise<void> {
  const { api } = useServices();
  const queries = useQueryClient();
  return async ({ jobId }) => {
    await api.deleteJob(jobId);
    await dropJob(jobId);
    queries.removeQueries({ queryKey: ["job", jobId] });
    // A list that was asked for before the deletion still has it.
    await queries.cancelQueries({ queryKey: ["jobs"] });
    queries.setQueryData<InfiniteData<JobPage>>(["jobs"], (list) => list && without(list, jobId));
  };
}

function without(list: InfiniteData<JobPage>, jobId: string): InfiniteData<JobPage> {
  const pages = list.pages.map((page) => ({
    ...page,
    jobs: page.jobs.filter((job) => job.jobId !== jobId),
  }));
  return { ...list, pages };
}
