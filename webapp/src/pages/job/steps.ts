import type { JobView, StageView } from "../../api/types";
import { STATUSES } from "./statuses";

export type StepState = "done" | "now" | "todo" | "failed";

export type StepName = "photo" | "prepare" | "select" | "reconstruct" | "view";

export interface Step {
  readonly name: StepName;
  readonly state: StepState;
  /** When what goes on now began. */
  readonly since: string | null;
  readonly ms: number | null;
}

/** A job as the steps of a person. */
export function stepsOf(job: JobView): Step[] {
  const { initialize, mask, reconstruct } = job.stages;
  const stages: { name: StepName; stage: StageView | null }[] = [
    { name: "photo", stage: null },
    { name: "prepare", stage: initialize },
    { name: "select", stage: mask },
    { name: "reconstruct", stage: reconstruct },
    { name: "view", stage: null },
  ];
  const { step } = STATUSES[job.status];
  const now = step ?? endedAt(job);
  return stages.map(({ name, stage }, index) => ({
    name,
    state: index < now ? "done" : index > now ? "todo" : step === undefined ? "failed" : "now",
    since: index === now ? (goingOn(stage)?.start ?? null) : null,
    ms: stage?.ms ?? null,
  }));
}

/** A stage that has not ended: a job that is taken up again begins with any, and those before stand. */
export function goingOn(stage: StageView | null): StageView | null {
  return stage?.end ? null : stage;
}

/** The step in which a job ended before its time. */
function endedAt({ stages }: JobView): number {
  if (stages.reconstruct.start) return 3;
  if (stages.mask.start) return 2;
  return stages.initialize.start ? 1 : 0;
}
