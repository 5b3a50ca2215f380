import { Check, X } from "lucide-react";
import type { JobView } from "../../api/types";
import { job as said } from "../../texts/en/job";
import { useTexts } from "../../texts/texts";
import { duration } from "../../ui/format";
import { useNow } from "../../ui/useNow";
import { type Step, stepsOf } from "./steps";

/** Where the job stands, and how long each step took. */
export function Timeline({ job }: { job: JobView }) {
  const t = useTexts(said);
  const steps = stepsOf(job);
  return (
    <ol className="timeline" aria-label={t.steps}>
      {steps.map((step, index) => (
        <li
          key={step.name}
          className={`timeline-${step.state}`}
          aria-current={step.state === "now" ? "step" : undefined}
        >
          <span className="timeline-dot" aria-hidden="true">
            {step.state === "done" ? <Check /> : step.state === "failed" ? <X /> : index + 1}
          </span>
          <span className="timeline-name">{t.step[step.name]}</span>
          <Time step={step} />
        </li>
      ))}
    </ol>
  );
}

function Time({ step }: { step: Step }) {
  // What a person takes to select is nobody's business; it only says that it waits.
  const running = step.state === "now" && step.since !== null && step.name !== "select";
  const now = useNow(running);
  if (running && step.since) {
    return <span className="timeline-time">{duration(now - Date.parse(step.since))}</span>;
  }
  if (step.state === "done" && step.ms !== null && step.name !== "select") {
    return <span className="timeline-time">{duration(step.ms)}</span>;
  }
  return null;
}
