import { Dices } from "lucide-react";
import { useState } from "react";
import { RUNNING } from "../../api/domain";
import type { JobView, ObjectView } from "../../api/types";
import { Dialog } from "../../ui/Dialog";
import { ErrorNote } from "../../ui/ErrorNote";
import { useRetry } from "../job/useRetry";

/** One object once more with another seed, as part of the same job. */
export function MakeAgain({ job, object }: { job: JobView; object: ObjectView }) {
  const { retry, busy, error } = useRetry(job);
  const [asking, setAsking] = useState(false);

  async function make(): Promise<void> {
    if (await retry([{ n: object.n, seed: anotherSeed(object.seed) }])) setAsking(false);
  }

  return (
    <>
      <button
        type="button"
        className="button button-quiet"
        disabled={RUNNING.includes(job.status)}
        onClick={() => setAsking(true)}
      >
        <Dices aria-hidden="true" /> Make again
      </button>
      <Dialog open={asking} title={`Make “${object.name}” again?`} onClose={() => setAsking(false)}>
        <p>
          The model draws anew, with another seed, what it cannot see.
          {object.files &&
            " The new one takes this one's place: download this one first if you want to keep it."}
        </p>
        {error !== null && <ErrorNote error={error} />}
        <div className="actions">
          <button
            type="button"
            className="button button-quiet"
            disabled={busy}
            onClick={() => setAsking(false)}
          >
            {object.files ? "Keep this one" : "Leave it"}
          </button>
          <button type="button" className="button" disabled={busy} onClick={() => void make()}>
            {busy ? "Starting…" : "Make again"}
          </button>
        </div>
      </Dialog>
    </>
  );
}

function anotherSeed(seed: number): number {
  const drawn = 1 + ((crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) % 9999);
  return drawn === seed ? drawn + 1 : drawn;
}
