import { RUNNING } from "../../api/domain";
import type { JobView, ObjectView, VariantView } from "../../api/types";
import { result as said } from "../../texts/en/result";
import { sentenceFor } from "../../texts/sentence";
import { texts, useTexts } from "../../texts/texts";
import { ErrorNote } from "../../ui/ErrorNote";
import { percent } from "../../ui/format";
import { useRetry } from "../job/useRetry";

/** What several seeds have made of an object, side by side; another one than is kept can be. */
export function Variants({ job, object }: { job: JobView; object: ObjectView }) {
  const t = useTexts(said);
  const { retry, busy, error } = useRetry(job);
  const { variants = [], n, name } = object;
  if (variants.length === 0) return null;
  const running = RUNNING.includes(job.status);
  return (
    <section className="variants" aria-label={t.seeds(name)}>
      <ul>
        {variants.map((variant) => (
          <li key={variant.seed} className={variant.kept ? "kept" : undefined}>
            {variant.picture && (
              <img
                src={variant.picture.url}
                crossOrigin="anonymous"
                alt={t.bySeed(name, String(variant.seed))}
              />
            )}
            <strong>{t.seed(String(variant.seed))}</strong>
            <span className="muted small">{told(variant, running)}</span>
            {variant.kept ? (
              <span className="badge">{t.kept}</span>
            ) : (
              variant.mesh && (
                <button
                  type="button"
                  className="button button-quiet"
                  disabled={busy || running}
                  aria-label={t.keepSeed(String(variant.seed))}
                  onClick={() => void retry([{ n, keep: variant.seed }])}
                >
                  {t.keep}
                </button>
              )
            )}
          </li>
        ))}
      </ul>
      {error !== null && <ErrorNote error={error} />}
    </section>
  );
}

/** How true to the photo, or why there is nothing to be judged. */
function told({ mesh, error }: VariantView, running: boolean): string {
  const t = texts(said);
  if (error) return sentenceFor(error);
  if (!mesh) return running ? t.onItsWay : t.seedNotMade;
  const score = mesh.truth?.score;
  return score == null ? t.incomparable : t.asInPhoto(percent(score));
}
