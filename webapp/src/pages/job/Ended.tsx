import { Link } from "wouter";
import type { JobView } from "../../api/types";
import { ErrorNote } from "../../ui/ErrorNote";
import { type End, STATUSES } from "./statuses";
import { TryAgain } from "./TryAgain";

/** A job that ended before its time. */
export function Ended({ job }: { job: JobView }) {
  const { end } = STATUSES[job.status];
  if (!end) return null;
  return (
    <section className="narrow-step">
      <h2>{end.title}</h2>
      {job.status === "FAILED" && job.error && <ErrorNote error={new Error(job.error.message)} />}
      {job.objects
        .filter((object) => object.error && object.error.message !== job.error?.message)
        .map((object) => (
          <p key={object.n}>
            <strong>{object.name}</strong>: {object.error?.message}
          </p>
        ))}
      <p className="muted">{advice(job, end)}</p>
      <div className="actions">
        {job.image && <TryAgain job={job} />}
        <Link href="/" className={job.image ? "button button-quiet" : "button"}>
          Start anew
        </Link>
        <Link href="/gallery" className="button button-quiet">
          Gallery
        </Link>
      </div>
    </section>
  );
}

function advice({ status, error, image, objects }: JobView, end: End): string {
  const why = end.why ?? `The administrator was told${error ? ` (${error.error})` : ""}.`;
  if (!image) return `${why} Start anew, perhaps with another photo.`;
  const kept = objects.length > 0 ? "The photo and the masks are" : "The photo is";
  const drafts = objects.some((object) => object.draft) ? " What you see below is a draft." : "";
  const or = status === "CANCELLED" ? "delete it in the gallery" : "start anew with another photo";
  return `${why} ${kept} kept: try again, and it goes on where it stopped, or ${or}.${drafts}`;
}
