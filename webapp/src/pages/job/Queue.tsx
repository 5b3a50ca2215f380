import type { JobView } from "../../api/types";

/** The job's place in the queue, as a sentence. */
export function queueSentence({ queue }: JobView): string | null {
  if (!queue) return null;
  if (queue.ahead === 0) return "No request is before yours.";
  if (queue.ahead === 1) return "1 request is before yours.";
  return `${queue.ahead} requests are before yours.`;
}

/** The job's place in the queue, where it waits in it. */
export function Queue({ job }: { job: JobView }) {
  const sentence = queueSentence(job);
  // It stays while the sentence comes and goes: what is new in it is read out.
  return <p aria-live="polite">{sentence}</p>;
}
