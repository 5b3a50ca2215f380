import { Dices } from "lucide-react";
import { useState } from "react";
import { DEFAULTS, seedsOf, withSeed } from "../../api/chosen";
import { RUNNING } from "../../api/domain";
import type { JobView, ObjectView, OffersView, OptionsView } from "../../api/types";
import { common } from "../../texts/en/common";
import { result as said } from "../../texts/en/result";
import { texts, useTexts } from "../../texts/texts";
import { Dialog } from "../../ui/Dialog";
import { ErrorNote } from "../../ui/ErrorNote";
import { OptionFields } from "../job/OptionFields";
import { useRetry } from "../job/useRetry";

/** One object once more, with another seed unless somebody chooses otherwise. */
export function MakeAgain({ job, object }: { job: JobView; object: ObjectView }) {
  const t = useTexts(said);
  const { starting } = useTexts(common);
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
        <Dices aria-hidden="true" /> {t.again}
      </button>
      <Dialog open={asking} title={t.askAgain(object.name)} onClose={() => setAsking(false)}>
        <p>
          {t.drawsAnew}
          {object.files &&
            ` ${several ? t.truestKept : object.variants ? t.takesPlaces : t.takesPlace}`}
        </p>
        <OptionFields offers={job.offers} value={options} onChange={setOptions}>
          <p className="muted small">
            {t.itsSeed(String(object.seed))} {aboutSeeds(job.offers, options)}
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
            {object.files ? t.keepThis : t.leaveIt}
          </button>
          <button type="button" className="button" disabled={busy} onClick={() => void make()}>
            {busy ? starting : t.again}
          </button>
        </div>
      </Dialog>
    </>
  );
}

/** What it takes to try several, or why this engine does not offer it. */
export function aboutSeeds(offers: OffersView | undefined, options: OptionsView): string {
  if (!offers?.engine.seeds) {
    return texts(said).noSeeds;
  }
  return seedsOf(options) > 1 ? texts(said).eachSeed : "";
}

function anotherSeed(seed: number): number {
  const drawn = 1 + ((crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) % 9999);
  return drawn === seed ? drawn + 1 : drawn;
}
