import { Link } from "wouter";
import type { JobView } from "../../api/types";
import { ErrorNote } from "../../ui/ErrorNote";

/** A job that ended without a model. */
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
      <p className="actions">
        <Link href="/" className="button">
          Start anew
        </Link>
        <Link href="/gallery" className="button button-quiet">
          Gallery
        </Link>
      </p>
    </section>
  );
}

function title({ status }: JobView): string {
  if (status === "CANCELLED") return "This job was cancelled";
  return status === "EXPIRED" ? "This job has expired" : "This job failed";
}

function advice({ status, error }: JobView): string {
  if (status === "CANCELLED") return "Its photo and everything made from it were removed.";
  if (status === "EXPIRED") return "Nobody selected an object in time. Start anew with the photo.";
  return `The administrator was told${error ? ` (${error.error})` : ""}. Start anew, perhaps with another photo.`;
}
