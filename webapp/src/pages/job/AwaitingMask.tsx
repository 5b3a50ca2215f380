import { useEffect, useState } from "react";
import type { JobView } from "../../api/types";
import { drop, keep, kept, type Submission } from "../../kept/kept";
import { common } from "../../texts/en/common";
import { job as said } from "../../texts/en/job";
import { texts, useTexts } from "../../texts/texts";
import { lazily } from "../../ui/lazily";
import { Spinner } from "../../ui/Spinner";
import { Sending } from "./Sending";

const Select = lazily(
  () => texts(said).selectionTool,
  () => import("../select/Select"),
);

/** Select, or send what was selected and confirmed before a reload. */
export function AwaitingMask({ job }: { job: JobView }) {
  const { loading } = useTexts(common);
  const [submission, setSubmission] = useState<Submission | null | undefined>();
  useEffect(() => {
    void kept("submission", job.jobId).then((found) => setSubmission(found ?? null));
  }, [job.jobId]);

  async function confirm(made: Submission): Promise<void> {
    await keep("submission", job.jobId, made);
    setSubmission(made);
  }

  async function withdraw(): Promise<void> {
    await drop("submission", job.jobId);
    setSubmission(null);
  }

  if (submission === undefined) return <Spinner label={loading} />;
  if (submission) return <Sending job={job} submission={submission} onWithdraw={withdraw} />;
  return <Select job={job} onConfirm={confirm} />;
}
