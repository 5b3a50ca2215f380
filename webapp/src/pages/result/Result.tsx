import { Suspense, useState } from "react";
import type { JobView, ObjectView } from "../../api/types";
import { files } from "../../texts/en/files";
import { job as jobTexts } from "../../texts/en/job";
import { result as said } from "../../texts/en/result";
import { sentenceFor } from "../../texts/sentence";
import { texts, useTexts } from "../../texts/texts";
import { ErrorNote } from "../../ui/ErrorNote";
import { lazily } from "../../ui/lazily";
import { Segmented } from "../../ui/Segmented";
import { Spinner } from "../../ui/Spinner";
import { ObjectProgress } from "../job/ObjectProgress";
import { Queue } from "../job/Queue";
import { TryAgain } from "../job/TryAgain";
import { DownloadAll } from "./DownloadAll";
import { Downloads } from "./Downloads";
import { Figures } from "./Figures";
import { InTheRoom } from "./InTheRoom";
import { MakeAgain } from "./MakeAgain";
import { PhotoSide } from "./PhotoSide";
import { filesOf } from "./packing";
import { SceneSide, SceneViewer } from "./Scene";
import { SceneWanted } from "./SceneWanted";
import { Share } from "./Share";
import { Variants } from "./Variants";
import "./result.css";

const Viewer = lazily(
  () => texts(files).viewer,
  () => import("../../viewer/Viewer"),
);

/** The models of a job: look, compare with the photo, take away. */
export default function Result({ job }: { job: JobView }) {
  const t = useTexts(said);
  const [n, setN] = useState(
    () =>
      (
        job.objects.find((object) => object.files) ??
        job.objects.find((object) => object.draft) ??
        job.objects[0]
      )?.n,
  );
  const [beside, setBeside] = useState(true);
  const [together, setTogether] = useState(false);
  const scene = together ? job.scene : undefined;
  const object = job.objects.find((one) => one.n === n);
  if (!object) return <ErrorNote error={new Error(t.noObjects)} />;
  return (
    <div className="result">
      <div className="result-main">
        <News job={job} />
        <div className="result-tools">
          {(job.objects.length > 1 || job.scene) && (
            <Segmented
              legend={t.object}
              choices={[
                ...job.objects.map((one) => ({
                  value: String(one.n),
                  label: one.name,
                  hint: one.name,
                })),
                ...(job.scene ? [{ value: TOGETHER, label: t.together }] : []),
              ]}
              value={scene ? TOGETHER : String(object.n)}
              onChange={(value) => {
                setTogether(value === TOGETHER);
                if (value !== TOGETHER) setN(Number(value));
              }}
            />
          )}
          <label className="check">
            <input
              type="checkbox"
              checked={beside}
              onChange={(event) => setBeside(event.target.checked)}
            />
            {t.showPhoto}
          </label>
        </div>
        <div className={beside ? "result-views beside" : "result-views"}>
          {scene ? (
            <SceneViewer job={job} scene={scene} />
          ) : (
            <ObjectViewer job={job} object={object} />
          )}
          {beside && job.image && (
            <PhotoSide image={job.image} name={job.name} object={scene ? null : object} />
          )}
        </div>
      </div>
      {scene ? <SceneSide job={job} scene={scene} /> : <ObjectSide job={job} object={object} />}
    </div>
  );
}

/** The value of the choice beside the objects' numbers. */
const TOGETHER = "together";

function ObjectSide({ job, object }: { job: JobView; object: ObjectView }) {
  const t = useTexts(files);
  return (
    <aside className="result-side" aria-label={t.about(object.name)}>
      <h2>{object.name}</h2>
      <Variants job={job} object={object} />
      <div className="result-actions">
        <Share key={`share ${object.n}`} job={job} object={object} />
        <InTheRoom object={object} />
        <MakeAgain key={object.n} job={job} object={object} />
        <SceneWanted job={job} />
      </div>
      <Downloads object={object} />
      <DownloadAll key={`zip ${object.n}`} name={object.name} files={filesOf(object)} />
      <Figures job={job} object={object} />
    </aside>
  );
}

function ObjectViewer({ job, object }: { job: JobView; object: ObjectView }) {
  const { draft } = object;
  const made = !isBusy(object) && !object.error;
  if (made)
    return <LazyViewer job={job} object={object} files={object.files} splat={object.splat} />;
  if (!draft) return <Missing job={job} object={object} />;
  return (
    <div className="drafted">
      <Missing job={job} object={object} />
      <LazyViewer job={job} object={object} files={draft.files} draft />
    </div>
  );
}

/** Why an object cannot be shown, now or at all. */
function Missing({ job, object }: { job: JobView; object: ObjectView }) {
  const t = useTexts(said);
  if (isBusy(object) && job.status === "RECONSTRUCTING") {
    return <Making job={job} object={object} />;
  }
  // Said there already, where the whole job failed by it.
  if (object.error && object.error.message === job.error?.message) return null;
  if (object.error) return <ErrorNote error={new Error(sentenceFor(object.error))} />;
  return <p className="note">{t.notMade(object.name)}</p>;
}

interface LazyViewerProps extends Pick<ObjectView, "files" | "splat"> {
  job: JobView;
  object: ObjectView;
  draft?: boolean;
}

function LazyViewer({ job, object, files: made, splat, draft = false }: LazyViewerProps) {
  const { loadingViewer } = useTexts(files);
  return (
    <Suspense fallback={<Spinner label={loadingViewer} />}>
      <Viewer
        // What is made again writes the same files; with other options it is another model.
        key={`${object.n} ${JSON.stringify(object.options ?? object.seed)} ${draft}`}
        name={object.name}
        meshUrl={made?.glb?.url ?? null}
        splatUrl={made?.spz?.url ?? splat?.url ?? null}
        draft={draft}
        metres={!draft && object.mesh?.height !== undefined}
        photoUrl={job.image?.url ?? null}
      />
    </Suspense>
  );
}

/** An object on its way, beside others that exist. */
function Making({ job, object }: { job: JobView; object: ObjectView }) {
  const t = useTexts(jobTexts);
  return (
    <section className="card" aria-live="polite">
      <p>{t.object[object.status]}</p>
      <ObjectProgress object={object} />
      <Queue job={job} />
    </section>
  );
}

/** What is not finished in this job, whichever object is in sight; a second chance for what failed. */
function News({ job }: { job: JobView }) {
  const t = useTexts(said);
  const names = (wanted: (object: ObjectView) => boolean) =>
    job.objects
      .filter(wanted)
      .map((object) => t.quoted(object.name))
      .join(", ");
  const making = job.status === "RECONSTRUCTING" && names(isBusy);
  const drafted = job.objects.some((object) => object.draft);
  const failed = names((object) => object.error !== undefined);
  return (
    <>
      {making && (
        <p className="note" role="status">
          {drafted ? t.makingDrafted(making) : t.making(making)}
        </p>
      )}
      {failed && job.status === "COMPLETED" && (
        <ErrorNote error={new Error(t.failed(failed))}>
          <TryAgain job={job} />
        </ErrorNote>
      )}
    </>
  );
}

function isBusy({ status }: ObjectView): boolean {
  return status === "PENDING" || status === "MESHING";
}
