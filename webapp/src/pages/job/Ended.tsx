import { RotateCcw } from "lucide-react";
import { Link } from "wouter";
import type { JobView } from "../../api/types";
import { ErrorNote } from "../../ui/ErrorNote";
import { Retry } from "../result/Retry";

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
      <div className="actions">
        {job.image && (
          <Retry job={job}>
            <RotateCcw aria-hidden="true" /> Try again
          </Retry>
        )}
        <Link href="/" className="button">
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

function advice({ status, error, image, objects }: JobView): string {
  if (status === "CANCELLED") return "Its photo and everything made from it were removed.";
  const why =
    status === "EXPIRED"
      ? "Nobody selected an object in time."
      : `The administrator was told${error ? ` (${error.error})` : ""}.`;
  if (!image) return `${why} Start anew, perhaps with another photo.`;
  const kept = objects.length > 0 ? "The photo and the masks are" : "The photo is";
  return `${why} ${kept} kept: try again, or start anew with another photo.`;
}
