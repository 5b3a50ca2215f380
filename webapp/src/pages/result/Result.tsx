import { lazy, Suspense, useState } from "react";
import type { JobView, ObjectView } from "../../api/types";
import { ErrorNote } from "../../ui/ErrorNote";
import { Progress } from "../../ui/Progress";
import { Segmented } from "../../ui/Segmented";
import { Spinner } from "../../ui/Spinner";
import { Queue } from "../job/Queue";
import { SHARE, TELL } from "../job/Reconstructing";
import { TryAgain } from "../job/TryAgain";
import { Downloads } from "./Downloads";
import { Figures } from "./Figures";
import { MakeAgain } from "./MakeAgain";
import { PhotoSide } from "./PhotoSide";
import { Share } from "./Share";
import "./result.css";

const Viewer = lazy(() => import("../../viewer/Viewer"));

/** The models of a job: look, compare with the photo, take away. */
export default function Result({ job }: { job: JobView }) {
  const [n, setN] = useState(
    () => (job.objects.find((object) => object.files) ?? job.objects[0])?.n,
  );
  const [beside, setBeside] = useState(true);
  const object = job.objects.find((one) => one.n === n);
  if (!object) return <ErrorNote error={new Error("This job has no objects. Start a new one.")} />;
  return (
    <div className="result">
      <div className="result-main">
        <div className="result-tools">
          {job.objects.length > 1 && (
            <Segmented
              legend="Object"
              choices={job.objects.map((one) => ({ value: String(one.n), label: one.name }))}
              value={String(object.n)}
              onChange={(value) => setN(Number(value))}
            />
          )}
          <label className="check">
            <input
              type="checkbox"
              checked={beside}
              onChange={(event) => setBeside(event.target.checked)}
            />
            Show the photo
          </label>
        </div>
        <div className={beside ? "result-views beside" : "result-views"}>
          <ObjectViewer job={job} object={object} />
          {beside && job.image && <PhotoSide image={job.image} name={job.name} object={object} />}
        </div>
      </div>
      <aside className="result-side" aria-label={`About ${object.name}`}>
        <h2>{object.name}</h2>
        <Figures job={job} object={object} />
        <Downloads object={object} />
        <div className="result-actions">
          <Share object={object} />
          <MakeAgain key={object.n} job={job} object={object} />
        </div>
      </aside>
    </div>
  );
}

function ObjectViewer({ job, object }: { job: JobView; object: ObjectView }) {
  const busy = object.status === "PENDING" || object.status === "MESHING";
  if (busy || object.error) {
    return (
      <div className="object-state">
        {busy ? <Making job={job} object={object} /> : <Failed job={job} object={object} />}
      </div>
    );
  }
  return (
    <Suspense fallback={<Spinner label="Loading the viewer" />}>
      <Viewer
        // What is made again writes the same files; another seed is another model.
        key={`${object.n} ${object.seed}`}
        name={object.name}
        meshUrl={object.files?.glb?.url ?? null}
        splatUrl={object.splat?.url ?? null}
      />
    </Suspense>
  );
}

/** An object on its way, beside others that exist. */
function Making({ job, object }: { job: JobView; object: ObjectView }) {
  return (
    <section className="card" aria-live="polite">
      <p>{TELL[object.status]}</p>
      <Progress label={object.name} share={SHARE[object.status]} />
      <Queue job={job} />
    </section>
  );
}

/** Why there is none, and a second chance for all that failed in this job. */
function Failed({ job, object }: { job: JobView; object: ObjectView }) {
  return (
    <ErrorNote error={new Error(object.error?.message)}>
      {job.status === "COMPLETED" && <TryAgain job={job} />}
    </ErrorNote>
  );
}
