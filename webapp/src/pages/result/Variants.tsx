import { RUNNING } from "../../api/domain";
import type { JobView, ObjectView, VariantView } from "../../api/types";
import { ErrorNote } from "../../ui/ErrorNote";
import { percent } from "../../ui/format";
import { useRetry } from "../job/useRetry";

/** What several seeds have made of an object, side by side; another one than is kept can be. */
export function Variants({ job, object }: { job: JobView; object: ObjectView }) {
  const { retry, busy, error } = useRetry(job);
  const { variants = [], n, name } = object;
  if (variants.length === 0) return null;
  const running = RUNNING.includes(job.status);
  return (
    <section className="variants" aria-label={`Seeds of ${name}`}>
      <ul>
        {variants.map((variant) => (
          <li key={variant.seed} className={variant.kept ? "kept" : undefined}>
            {variant.picture && (
              <img
                src={variant.picture.url}
                crossOrigin="anonymous"
                alt={`${name} by seed ${variant.seed}`}
              />
            )}
            <strong>Seed {variant.seed}</strong>
            <span className="muted small">{told(variant, running)}</span>
            {variant.kept ? (
              <span className="badge">Kept</span>
            ) : (
              variant.mesh && (
                <button
                  type="button"
                  className="button button-quiet"
                  disabled={busy || running}
                  aria-label={`Keep seed ${variant.seed} in its place`}
                  onClick={() => void retry([{ n, keep: variant.seed }])}
                >
                  Keep
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
  if (error) return error.message;
  if (!mesh) return running ? "On its way" : "Not made";
  const score = mesh.truth?.score;
  return score == null ? "Not comparable with the photo" : `${percent(score)} as in the photo`;
}
