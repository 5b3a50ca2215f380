import { focusManager, type QueryClient, useQuery, useQueryClient } from "@tanstack/react-query";
import { useRef } from "react";
import { about } from "../../api/again";
import type { JobStatus } from "../../api/domain";
import { ApiError } from "../../api/error";
import type { JobView } from "../../api/types";
import { useServices } from "../../services";
import { STATUSES } from "./statuses";

/** A record follows an accepted request within this, or the request led nowhere. */
const EXPECTED_MS = 60_000;
const ENDED_MS = 15 * 60_000;
/** What nobody sees changes in the tab's title alone. */
const HIDDEN_MS = 60_000;
/** By so much longer is each wait that follows a look at which nothing had changed. */
const GROWTH = 1.25;

/** What an accepted request makes of a job; its record says so only a moment later. */
interface Expected {
  readonly from: JobStatus;
  readonly run: number;
  readonly status: JobStatus;
  readonly until: number;
}

export type SeenJob = JobView & { readonly expected?: Expected };

/** Whether better embeddings than there are, if any, are on their way. */
export function awaitsBetter({ status, decoder }: JobView): boolean {
  return status === "AWAITING_MASK" && (!decoder || decoder.draft === true);
}

/** How a job was seen: looks without news since the last change, and whether anybody looks on. */
export interface Looks {
  readonly still: number;
  readonly hidden: boolean;
}

/**
 * Milliseconds until the next look at a job: at work, waiting (for another tab, say), ended. Of one
 * that has ended only the links change: they are good for an hour.
 */
export function pace(job: JobView | undefined, { still, hidden }: Looks): number | false {
  if (!job || job.status === "CREATED") return false;
  // Better embeddings come from the machine that prepares the photo, whoever is waited for.
  const seconds = STATUSES[awaitsBetter(job) ? "INITIALIZING" : job.status].looks;
  if (!seconds) return ENDED_MS;
  const first = job.pollSeconds ?? seconds[0];
  const wait = 1000 * Math.min(first * GROWTH ** still, Math.max(first, seconds[1]));
  return hidden ? Math.max(wait, HIDDEN_MS) : wait;
}

/** The same after a look that failed: what is gone is not looked for, and a server left in peace. */
export function paceAfter(error: unknown, wait: number | false): number | false {
  if (!(error instanceof ApiError)) return wait;
  if (error.status === 404) return false;
  return wait && Math.max(wait, (error.retryAfter ?? 0) * 1000);
}

/** A job after a request that was accepted: `status` is what its record will say. */
export function accepted(before: JobView, answer: JobView, status: JobStatus): SeenJob {
  const { status: from, run } = before;
  const next = answer.status === from ? status : answer.status;
  return {
    ...answer,
    status: next,
    pollSeconds: answer.status === next ? answer.pollSeconds : null,
    expected: { from, run, status: next, until: Date.now() + EXPECTED_MS },
  };
}

/** A view of a job, optimistic: it does not fall back behind what was accepted. */
export function optimistic(earlier: SeenJob | undefined, job: JobView): SeenJob {
  const expected = earlier?.expected;
  if (!expected || Date.now() >= expected.until) return job;
  if (job.status !== expected.from || job.run !== expected.run) return job;
  return {
    ...job,
    status: expected.status,
    stages: earlier.stages,
    objects: earlier.objects,
    pollSeconds: null, // it was said of the record, which stands for longer than this will
    expected,
  };
}

/**
 * A job as it stands for a person. One that goes on with masks that it has is being reconstructed;
 * one whose mask is waited for before anything can be clicked is being prepared.
 */
export function shown(job: SeenJob): SeenJob {
  if (job.status === "INITIALIZING" && job.objects.length > 0) {
    return { ...job, status: "RECONSTRUCTING" };
  }
  if (job.status === "AWAITING_MASK" && !job.decoder) return { ...job, status: "INITIALIZING" };
  return job;
}

/** What is news about a job. */
export function newsOf(job: JobView): string {
  const objects = job.objects.map(({ status, draft, progress }) => [
    status,
    draft !== undefined,
    progress?.fraction,
  ]);
  const { engine, revision, draft } = job.decoder ?? {};
  return JSON.stringify([job.status, job.run, job.queue, engine, revision, draft, objects]);
}

/** A job, looked at again as often as it may have changed. */
export function useJob(jobId: string) {
  const { api } = useServices();
  const queries = useQueryClient();
  const looks = useRef({ news: "", still: 0, spread: 1 });
  return useQuery({
    queryKey: ["job", jobId],
    queryFn: async () => {
      const job = optimistic(queries.getQueryData(["job", jobId]), await api.getJob(jobId));
      const news = newsOf(job);
      const still = news === looks.current.news ? looks.current.still + 1 : 0;
      looks.current = { news, still, spread: about(1) };
      return job;
    },
    select: shown,
    refetchInterval: ({ state }) => {
      const { still, spread } = looks.current;
      const wait = pace(state.data, { still, hidden: !focusManager.isFocused() });
      return paceAfter(state.error, wait && wait * spread);
    },
    // Slowly, for the title. Who comes back to the tab sees it looked at anew at once.
    refetchIntervalInBackground: true,
  });
}

/** Put a newer view of a job in place; one that a sign-out has forgotten meanwhile stays so. */
export async function renew(
  queries: QueryClient,
  jobId: string,
  newer: (earlier: SeenJob) => SeenJob,
): Promise<void> {
  const queryKey = ["job", jobId];
  // An answer that is still on its way is older than this one.
  await queries.cancelQueries({ queryKey });
  queries.setQueryData<SeenJob>(queryKey, (earlier) => earlier && newer(earlier));
}

/** Ways to a newer view of a job. */
export function useJobUpdate(jobId: string) {
  const queries = useQueryClient();
  return {
    /** One that changes nothing of its course. */
    put: (job: JobView) => renew(queries, jobId, (earlier) => optimistic(earlier, job)),
    /** The answer to a request that does: the record says `status`, now or soon. */
    accept: (answer: JobView, status: JobStatus) =>
      renew(queries, jobId, (earlier) => accepted(earlier, answer, status)),
    /** Have it read again. */
    read: () => queries.invalidateQueries({ queryKey: ["job", jobId] }),
  };
}
