import { Dices } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import type { JobView, ObjectView } from "../../api/types";
import { ErrorNote } from "../../ui/ErrorNote";
import { Segmented } from "../../ui/Segmented";
import { Spinner } from "../../ui/Spinner";
import { Downloads } from "./Downloads";
import { Figures } from "./Figures";
import { PhotoSide } from "./PhotoSide";
import { Retry } from "./Retry";
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
          <ObjectViewer object={object} />
          {beside && job.image && <PhotoSide image={job.image} name={job.name} object={object} />}
        </div>
      </div>
      <aside className="result-side" aria-label={`About ${object.name}`}>
        <h2>{object.name}</h2>
        <Figures job={job} object={object} />
        <Downloads object={object} />
        <div className="result-actions">
          <Share object={object} />
          <Retry job={job}>
            <Dices aria-hidden="true" /> Try another seed
          </Retry>
        </div>
      </aside>
    </div>
  );
}

function ObjectViewer({ object }: { object: ObjectView }) {
  if (object.error) return <ErrorNote error={new Error(object.error.message)} />;
  return (
    <Suspense fallback={<Spinner label="Loading the viewer" />}>
      <Viewer
        key={object.n}
        name={object.name}
        meshUrl={object.files?.glb?.url ?? null}
        splatUrl={object.splat?.url ?? null}
      />
    </Suspense>
  );
}
