import { Suspense } from "react";
import { SCENE_FORMATS } from "../../api/domain";
import type { JobView, SceneView } from "../../api/types";
import { ErrorNote } from "../../ui/ErrorNote";
import { metres } from "../../ui/format";
import { lazily } from "../../ui/lazily";
import { Spinner } from "../../ui/Spinner";
import { DownloadAll } from "./DownloadAll";
import { Row } from "./Downloads";
import { filesOfJob } from "./packing";

const Viewer = lazily(
  () => "the viewer",
  () => import("../../viewer/Viewer"),
);

interface Props {
  job: JobView;
  scene: SceneView;
}

/** All objects as they stood in the photo, which lies below the first view. */
export function SceneViewer({ job, scene }: Props) {
  if (scene.error) {
    return (
      <ErrorNote
        error={new Error(`The objects could not be set beside each other. ${scene.error.message}`)}
      />
    );
  }
  return (
    <Suspense fallback={<Spinner label="Loading the viewer" />}>
      <Viewer
        key={`scene ${job.run}`}
        name="All objects together"
        meshUrl={scene.files?.glb?.url ?? null}
        splatUrl={scene.files?.spz?.url ?? null}
        together={{
          names: members(job, scene).map(({ name }) => name),
          photoUrl: job.image?.url ?? null,
        }}
      />
    </Suspense>
  );
}

/** What is known of a scene, and its files. */
export function SceneSide({ job, scene }: Props) {
  const placed = members(job, scene);
  return (
    <aside className="result-side" aria-label="About all objects together">
      <h2>All together</h2>
      <dl className="figures">
        {placed.map(({ n, name, height }) => (
          <div key={n}>
            <dt>Height of {name}</dt>
            <dd>{scene.metres ? metres(height) : share(height, placed)}</dd>
          </div>
        ))}
      </dl>
      {placed.length > 0 && <p className="note">{told(placed, scene.metres ?? false)}</p>}
      <ul className="downloads" aria-label="Downloads of all objects together">
        {SCENE_FORMATS.map(({ ending, label, use }) => {
          const file = scene.files?.[ending];
          return (
            file && <Row key={ending} name={label} use={use} url={file.url} bytes={file.bytes} />
          );
        })}
      </ul>
      <DownloadAll name={job.name} files={filesOfJob(job)} />
    </aside>
  );
}

type Placed = NonNullable<SceneView["objects"]>[number];

function members(job: JobView, scene: SceneView): (Placed & { name: string })[] {
  return (scene.objects ?? []).map((one) => ({
    ...one,
    name: job.objects.find(({ n }) => n === one.n)?.name ?? `Object ${one.n + 1}`,
  }));
}

/** By what they were placed, and how to give them a size. */
export function told(placed: readonly Placed[], sized: boolean): string {
  const guessed = placed.filter((one) => one.placed === "mask").length;
  const where =
    guessed === 0
      ? "Each object stands where the engine saw it."
      : `${guessed === placed.length ? "The engine saw" : `Of ${guessed} of them the engine saw`} no distances: placed by the masks, side by side.`;
  return sized
    ? `${where} The unit is the metre.`
    : `${where} How large they are nobody said: make one again with its height, and all is in metres.`;
}

/** In shares of the tallest, where no size is known. */
function share(height: number, placed: readonly Placed[]): string {
  const most = Math.max(...placed.map((one) => one.height));
  return `${Math.round((100 * height) / most)} % of the tallest`;
}
