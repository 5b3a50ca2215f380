import { Info } from "lucide-react";
import { useEffect, useState } from "react";
import { Link } from "wouter";
import type { JobView } from "../../api/types";
import { kept } from "../../kept/kept";
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
  // It comes next, and is there before, should the connection be lost.
  useEffect(() => void import("../select/Select").catch(() => undefined), []);
  const since = goingOn(job.stages.initialize)?.start;
  const now = useNow(true);
  const elapsed = since ? Math.max(0, now - Date.parse(since)) : 0;
  return (
    <section className="narrow-step">
      <h2>Preparing the photo</h2>
      {job.image && (
        <img className="step-picture" src={job.image.url} crossOrigin="anonymous" alt={job.name} />
      )}
      <Progress label="Preparing" share={null} />
      <p>
        {/* The sentence alone: the seconds would be read out one by one. */}
        <span aria-live="polite">{explain(elapsed, (job.queue?.ahead ?? 0) > 0)}</span>
        {elapsed >= AWAKE_MS && ` It has been ${duration(elapsed)}.`}
      </p>
      <Queue job={job} />
      <Next jobId={job.jobId} />
    </section>
  );
}

function explain(elapsed: number, behind: boolean): string {
  if (elapsed < AWAKE_MS) {
    return "The model is looking at the photo once. After that, every click is answered at once.";
  }
  if (elapsed < WAKING_MS) {
    return (
      "The model is most likely waking up: its machine is switched off while nobody uses it, and " +
      "starting one takes 5 to 10 minutes."
    );
  }
  if (behind) return "The model takes what was asked for before; yours comes in its turn.";
  return (
    "This takes longer than waking up does. The job goes on trying by itself, and you will get a " +
    "mail if it fails."
  );
}

/** What comes after, and whether this page is needed for it. */
function Next({ jobId }: { jobId: string }) {
  const [masked, setMasked] = useState(false);
  useEffect(() => {
    void kept("submission", jobId).then((found) => setMasked(found !== undefined));
  }, [jobId]);
  return (
    <p className="note">
      <Info aria-hidden="true" />
      {masked ? (
        <span>
          Keep this page open, or come back to it in this browser: your masks lie here, and are sent
          from here when the photo is prepared.
        </span>
      ) : (
        <span>
          You can leave this page. The job waits in your <Link href="/gallery">gallery</Link> for
          you to select the object. If that takes longer than a minute, a mail calls you back.
        </span>
      )}
    </p>
  );
}
