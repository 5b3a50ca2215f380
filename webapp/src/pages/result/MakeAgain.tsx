import { Dices } from "lucide-react";
import { useState } from "react";
import { DEFAULTS, seedsOf, withSeed } from "../../api/chosen";
import { RUNNING } from "../../api/domain";
import type { JobView, ObjectView, OffersView, OptionsView } from "../../api/types";
import { Dialog } from "../../ui/Dialog";
import { ErrorNote } from "../../ui/ErrorNote";
import { OptionFields } from "../job/OptionFields";
import { useRetry } from "../job/useRetry";

/** One object once more, with another seed unless somebody chooses otherwise. */
export function MakeAgain({ job, object }: { job: JobView; object: ObjectView }) {
  const { retry, busy, error } = useRetry(job);
  const [asking, setAsking] = useState(false);
  const made = object.options ?? withSeed(DEFAULTS, object.seed);
  const [options, setOptions] = useState(made);
  const several = seedsOf(options) > 1;

  function ask(): void {
    setOptions(withSeed(made, anotherSeed(object.seed)));
    setAsking(true);
  }

  async function make(): Promise<void> {
    if (await retry([{ n: object.n, options }])) setAsking(false);
  }

  return (
    <>
      <button
        type="button"
        className="button button-quiet"
        disabled={RUNNING.includes(job.status)}
        onClick={ask}
      >
        <Dices aria-hidden="true" /> Make again
      </button>
      <Dialog open={asking} title={`Make “${object.name}” again?`} onClose={() => setAsking(false)}>
        <p>
          The model draws anew, with another seed, what it cannot see.
          {object.files &&
            (several
              ? " The truest to the photo is kept, of the new ones and, where nothing but the seed is new, of this one; you can choose another."
              : ` The new one takes ${object.variants ? "the place of what all seeds made" : "this one's place"}: download this one first if you want to keep it.`)}
        </p>
        <OptionFields offers={job.offers} value={options} onChange={setOptions}>
          <p className="muted small">
            Its seed was {object.seed}. With that again and another mesh, only the mesh is made
            anew. {aboutSeeds(job.offers, options)}
          </p>
        </OptionFields>
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

/** What it takes to try several, or why this engine does not offer it. */
export function aboutSeeds(offers: OffersView | undefined, options: OptionsView): string {
  if (!offers?.engine.seeds) {
    return "Several at once are not tried: this engine does not see how an object stands, so that nothing tells which is truest to the photo.";
  }
  return seedsOf(options) > 1 ? "Each seed takes as long, and costs as much, as an object." : "";
}

function anotherSeed(seed: number): number {
  const drawn = 1 + ((crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) % 9999);
  return drawn === seed ? drawn + 1 : drawn;
}
