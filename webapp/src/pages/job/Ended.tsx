import { Link } from "wouter";
import type { JobView } from "../../api/types";
import { common } from "../../texts/en/common";
import { job as said } from "../../texts/en/job";
import { statuses } from "../../texts/en/statuses";
import { sentenceFor } from "../../texts/sentence";
import { texts, useTexts } from "../../texts/texts";
import { ErrorNote } from "../../ui/ErrorNote";
import { STATUSES } from "./statuses";
import { TryAgain } from "./TryAgain";

/** A job that ended before its time. */
export function Ended({ job }: { job: JobView }) {
  const { startAnew, gallery } = useTexts(common);
  const { title } = useTexts(statuses)[job.status];
  if (!STATUSES[job.status].ended) return null;
  return (
    <section className="narrow-step">
      <h2>{title}</h2>
      {job.status === "FAILED" && job.error && (
        <ErrorNote error={new Error(sentenceFor(job.error))} />
      )}
      {job.objects
        .filter((object) => object.error && object.error.message !== job.error?.message)
        .map((object) => (
          <p key={object.n}>
            <strong>{object.name}</strong>: {object.error && sentenceFor(object.error)}
          </p>
        ))}
      <p className="muted">{advice(job)}</p>
      <div className="actions">
        {job.image && <TryAgain job={job} />}
        <Link href="/" className={job.image ? "button button-quiet" : "button"}>
          {startAnew}
        </Link>
        <Link href="/gallery" className="button button-quiet">
          {gallery}
        </Link>
      </div>
    </section>
  );
}

/** Why it ended, what is left of it, and what can be done. */
function advice({ status, error, image, objects }: JobView): string {
  const t = texts(said);
  const toldAdmin = error?.error ? t.toldAdmin(error.error) : t.toldAdminAll;
  const why = texts(statuses)[status].why ?? toldAdmin;
  if (!image) return `${why} ${t.startAnewPerhaps}`;
  const drafts = objects.some((object) => object.draft) ? ` ${t.draftBelow}` : "";
  const [kept, keptCancelled] =
    objects.length > 0 ? [t.masksKept, t.masksKeptCancelled] : [t.kept, t.keptCancelled];
  return `${why} ${status === "CANCELLED" ? keptCancelled : kept}${drafts}`;
}
