import type { ObjectView } from "../../api/types";
import { job as said } from "../../texts/en/job";
import { texts } from "../../texts/texts";
import { timeLeft } from "../../ui/format";
import { Progress } from "../../ui/Progress";

/** How far an object is, where that is known; else that something goes on, or nothing any more. */
export function ObjectProgress({ object }: { object: ObjectView }) {
  const { name, status, progress } = object;
  const busy = status === "PENDING" || status === "MESHING";
  if (!busy || !progress) return <Progress label={name} share={busy ? null : 1} />;
  const { fraction, phase, restSeconds } = progress;
  const left = restSeconds === null ? null : timeLeft(restSeconds);
  return (
    <>
      <Progress label={name} share={fraction} text={left} />
      {/* What is said on the bar itself; here it would be read out again with each change. */}
      <p className="muted small" aria-hidden="true">
        {[words(phase), left].filter(Boolean).join(" · ")}
      </p>
    </>
  );
}

/** A phase in words: the engine's own where there are no others. */
function words(phase: string): string {
  const other = texts(said).phases[phase];
  return other ?? phase.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`).trim();
}
