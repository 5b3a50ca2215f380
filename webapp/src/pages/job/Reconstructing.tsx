import { Check, Mail, X } from "lucide-react";
import { useEffect } from "react";
import { Link } from "wouter";
import type { JobView } from "../../api/types";
import { job as said } from "../../texts/en/job";
import { sentenceFor } from "../../texts/sentence";
import { useTexts } from "../../texts/texts";
import { loadAhead } from "../result/ahead";
import { ObjectProgress } from "./ObjectProgress";
import { Queue } from "./Queue";

/** Progress of each object. */
export function Reconstructing({ job }: { job: JobView }) {
  const t = useTexts(said);
  useEffect(loadAhead, []);
  return (
    <section className="narrow-step">
      <h2>{t.reconstructing(job.objects.length)}</h2>
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
                {object.error ? sentenceFor(object.error) : t.object[object.status]}
              </p>
              <ObjectProgress object={object} />
            </div>
          </li>
        ))}
      </ul>
      <p className="note">
        <Mail aria-hidden="true" />
        <span>
          {t.leave((words) => (
            <Link href="/gallery">{words}</Link>
          ))}
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
