import { Suspense } from "react";
import { SCENE_FORMATS } from "../../api/domain";
import type { JobView, SceneView } from "../../api/types";
import { files } from "../../texts/en/files";
import { result as said } from "../../texts/en/result";
import { sentenceFor } from "../../texts/sentence";
import { texts, useTexts } from "../../texts/texts";
import { ErrorNote } from "../../ui/ErrorNote";
import { count, metres } from "../../ui/format";
import { lazily } from "../../ui/lazily";
import { Spinner } from "../../ui/Spinner";
import { DownloadAll } from "./DownloadAll";
import { Row } from "./Downloads";
import { filesOfJob } from "./packing";

const Viewer = lazily(
  () => texts(files).viewer,
  () => import("../../viewer/Viewer"),
);

interface Props {
  job: JobView;
  scene: SceneView;
}

/** All objects as they stood in the photo, which lies below the first view. */
export function SceneViewer({ job, scene }: Props) {
  const t = useTexts(said);
  const { loadingViewer } = useTexts(files);
  if (scene.error) {
    return <ErrorNote error={new Error(t.sceneFailed(sentenceFor(scene.error)))} />;
  }
  return (
    <Suspense fallback={<Spinner label={loadingViewer} />}>
      <Viewer
        key={`scene ${job.run}`}
        name={t.scene}
        meshUrl={scene.files?.glb?.url ?? null}
        splatUrl={scene.files?.spz?.url ?? null}
        metres={scene.metres ?? false}
        together={members(job, scene).map(({ name }) => name)}
        photoUrl={job.image?.url ?? null}
      />
    </Suspense>
  );
}

/** What is known of a scene, and its files. */
export function SceneSide({ job, scene }: Props) {
  const t = useTexts(said);
  const { labels, uses } = useTexts(files);
  const placed = members(job, scene);
  return (
    <aside className="result-side" aria-label={t.aboutScene}>
      <h2>{t.together}</h2>
      <dl className="figures">
        {placed.map(({ n, name, height }) => (
          <div key={n}>
            <dt>{t.heightOf(name)}</dt>
            <dd>{scene.metres ? metres(height) : share(height, placed)}</dd>
          </div>
        ))}
      </dl>
      {placed.length > 0 && <p className="note">{told(placed, scene.metres ?? false)}</p>}
      <ul className="downloads" aria-label={t.sceneDownloads}>
        {SCENE_FORMATS.map(({ ending, label, use }) => {
          const file = scene.files?.[ending];
          return (
            file && (
              <Row
                key={ending}
                name={labels[`scene ${ending}`] ?? label}
                use={uses[`scene ${ending}`] ?? use}
                url={file.url}
                bytes={file.bytes}
              />
            )
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
    name: job.objects.find(({ n }) => n === one.n)?.name ?? texts(said).objectNumber(one.n + 1),
  }));
}

/** By what they were placed, and how to give them a size. */
export function told(placed: readonly Placed[], sized: boolean): string {
  const guessed = placed.filter((one) => one.placed === "mask").length;
  const t = texts(said);
  const some = guessed === placed.length ? t.guessed : t.guessedOf(guessed);
  return `${guessed === 0 ? t.seen : some} ${sized ? t.metre : t.noSize}`;
}

/** In shares of the tallest, where no size is known. */
function share(height: number, placed: readonly Placed[]): string {
  const most = Math.max(...placed.map((one) => one.height));
  return texts(said).ofTallest(count(Math.round((100 * height) / most)));
}
