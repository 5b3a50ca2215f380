import { Link } from "wouter";
import type { JobView } from "../../api/types";
import { ErrorNote } from "../../ui/ErrorNote";
import { TryAgain } from "./TryAgain";

/** A job that ended before its time. */
export function Ended({ job }: { job: JobView }) {
  return (
    <section className="narrow-step">
      <h2>{title(job)}</h2>
      {job.status === "FAILED" && job.error && <ErrorNote error={new Error(job.error.message)} />}
      {job.objects
        .filter((object) => object.error && object.error.message !== job.error?.message)
        .map((object) => (
          <p key={object.n}>
            <strong>{object.name}</strong>: {object.error?.message}
          </p>
        ))}
      <p className="muted">{advice(job)}</p>
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

function title({ status }: JobView): string {
  if (status === "CANCELLED") return "This job was cancelled";
  return status === "EXPIRED" ? "This job has expired" : "This job failed";
}

const WHY: Partial<Record<JobView["status"], string>> = {
  CANCELLED: "It was stopped before it was finished.",
  EXPIRED: "Nobody selected an object in time.",
};

function advice({ status, error, image, objects }: JobView): string {
  const why = WHY[status] ?? `The administrator was told${error ? ` (${error.error})` : ""}.`;
  if (!image) return `${why} Start anew, perhaps with another photo.`;
  const kept = objects.length > 0 ? "The photo and the masks are" : "The photo is";
  const end = status === "CANCELLED" ? "delete it in the gallery" : "start anew with another photo";
  return `${why} ${kept} kept: try again, and it goes on where it stopped, or ${end}.`;
}
