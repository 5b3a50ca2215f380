import type { JobView } from "../../api/types";
import { job as said } from "../../texts/en/job";
import { useTexts } from "../../texts/texts";

/** The job's place in the queue, where it waits in it. */
export function Queue({ job }: { job: JobView }) {
  const t = useTexts(said);
  // It stays while the sentence comes and goes: what is new in it is read out.
  return <p aria-live="polite">{job.queue && t.before(job.queue.ahead)}</p>;
}
