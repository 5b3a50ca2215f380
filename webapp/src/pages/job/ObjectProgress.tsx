import type { ObjectView } from "../../api/types";
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

/** The engine's own name of a phase, as words. */
function words(phase: string): string {
  return phase.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`).trim();
}
