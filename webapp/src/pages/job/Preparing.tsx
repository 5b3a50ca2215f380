import { Info } from "lucide-react";
import { useEffect, useState } from "react";
import { Link } from "wouter";
import type { JobView } from "../../api/types";
import { kept } from "../../kept/kept";
import { job as said } from "../../texts/en/job";
import { texts, useTexts } from "../../texts/texts";
import { duration } from "../../ui/format";
import { Progress } from "../../ui/Progress";
import { useNow } from "../../ui/useNow";
import { Queue } from "./Queue";
import { goingOn } from "./steps";

/** An endpoint that is up answers well within this. */
const AWAKE_MS = 20_000;
/** Waking takes about this; after it, something else is the matter. */
const WAKING_MS = 12 * 60_000;

/** The encoder looks at the photo. */
export function Preparing({ job }: { job: JobView }) {
  const t = useTexts(said);
  // It comes next, and is there before, should the connection be lost.
  useEffect(() => void import("../select/Select").catch(() => undefined), []);
  const since = goingOn(job.stages.initialize)?.start;
  const now = useNow(true);
  const elapsed = since ? Math.max(0, now - Date.parse(since)) : 0;
  return (
    <section className="narrow-step">
      <h2>{t.preparing}</h2>
      {job.image && (
        <img className="step-picture" src={job.image.url} crossOrigin="anonymous" alt={job.name} />
      )}
      <Progress label={t.preparingBar} share={null} />
      <p>
        {/* The sentence alone: the seconds would be read out one by one. */}
        <span aria-live="polite">{explain(elapsed, (job.queue?.ahead ?? 0) > 0)}</span>
        {elapsed >= AWAKE_MS && ` ${t.elapsed(duration(elapsed))}`}
      </p>
      <Queue job={job} />
      <Next jobId={job.jobId} />
    </section>
  );
}

function explain(elapsed: number, behind: boolean): string {
  const t = texts(said);
  if (elapsed < AWAKE_MS) return t.looking;
  if (elapsed < WAKING_MS) return t.waking;
  return behind ? t.behind : t.long;
}

/** What comes after, and whether this page is needed for it. */
function Next({ jobId }: { jobId: string }) {
  const t = useTexts(said);
  const [masked, setMasked] = useState(false);
  useEffect(() => {
    void kept("submission", jobId).then((found) => setMasked(found !== undefined));
  }, [jobId]);
  return (
    <p className="note">
      <Info aria-hidden="true" />
      <span>
        {masked ? t.keepOpen : t.leaveToSelect((words) => <Link href="/gallery">{words}</Link>)}
      </span>
    </p>
  );
}
