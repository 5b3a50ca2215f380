import { Check, Mail, X } from "lucide-react";
import { useEffect } from "react";
import { Link } from "wouter";
import type { ObjectStatus } from "../../api/domain";
import type { JobView } from "../../api/types";
import { loadAhead } from "../result/ahead";
import { ObjectProgress } from "./ObjectProgress";
import { Queue } from "./Queue";

export const TELL: Record<ObjectStatus, string> = {
  PENDING: "Step 1 of 2: from the photo to a shape",
  MESHING: "Step 2 of 2: from the shape to a mesh",
  COMPLETED: "Finished",
  FAILED: "Failed",
};

/** Progress of each object. */
export function Reconstructing({ job }: { job: JobView }) {
  useEffect(loadAhead, []);
  return (
    <section className="narrow-step">
      <h2>Reconstructing {job.objects.length === 1 ? "the object" : "the objects"}</h2>
      <Queue job={job} />
      <ul className="object-progress" aria-live="polite">
        {job.objects.map((object) => (
          <li key={object.n} className="card">
            {object.mask && job.image && (
              <Cutout photo={job.image.url} mask={object.mask.url} name={object.name} />
            )}
            <div>
              <strong>{object.name}</strong>
              <p className="muted">
                {object.status === "COMPLETED" && <Check aria-hidden="true" />}
                {object.status === "FAILED" && <X aria-hidden="true" />}
                {object.error?.message ?? TELL[object.status]}
              </p>
              <ObjectProgress object={object} />
            </div>
          </li>
        ))}
      </ul>
      <p className="note">
        <Mail aria-hidden="true" />
        <span>
          You can leave this page. The job goes on in your <Link href="/gallery">gallery</Link>, and
          a mail comes when it is finished.
        </span>
      </p>
    </section>
  );
}

/** The object cut out of its photo. */
function Cutout({ photo, mask, name }: { photo: string; mask: string; name: string }) {
  return (
    <img
      className="cutout"
      src={photo}
      crossOrigin="anonymous"
      alt={name}
      style={{ maskImage: `url("${mask}")`, maskMode: "luminance" }}
    />
  );
}
