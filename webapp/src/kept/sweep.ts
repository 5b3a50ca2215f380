/** Taking away what this browser keeps of jobs that no longer want it. */

import type { ApiClient } from "../api/client";
import { RUNNING } from "../api/domain";
import { ApiError } from "../api/error";
import type { JobView } from "../api/types";
import { dropJob, keptJobs } from "./kept";
import { note, noted } from "./notes";

const DAY_MS = 24 * 60 * 60_000;
/** A job that has ended may be taken up again; after this nobody does. */
const LONG_MS = 14 * DAY_MS;
/** At most so many jobs are asked about in a visit. */
const MOST = 20;
const SWEPT = "gen3d-swept";

/** Ask about each job of which something is kept, once a day. */
export async function sweep(api: Pick<ApiClient, "getJob">): Promise<void> {
  if (Date.now() - Number(noted("localStorage", SWEPT)) < DAY_MS) return;
  note("localStorage", SWEPT, String(Date.now()));
  for (const jobId of (await keptJobs()).slice(0, MOST)) {
    try {
      if (isOver(await api.getJob(jobId))) await dropJob(jobId);
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 404)) return;
      await dropJob(jobId);
    }
  }
}

function isOver({ status, createdAt }: JobView): boolean {
  if (status === "COMPLETED") return true;
  return !RUNNING.includes(status) && Date.now() - Date.parse(createdAt) > LONG_MS;
}
