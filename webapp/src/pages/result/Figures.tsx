import { DEFAULTS, withSeed, withValues } from "../../api/chosen";
import type { JobView, ObjectView } from "../../api/types";
import { figures as said } from "../../texts/en/figures";
import { useTexts } from "../../texts/texts";
import { count, duration, metres, percent } from "../../ui/format";
import { optionSaid, titleOf } from "../job/said-options";

/** The numbers of an object. */
export function Figures({ job, object }: { job: JobView; object: ObjectView }) {
  const t = useTexts(said);
  const { splat, engineMesh, mesh, draft } = object;
  const rows: [string, string | undefined][] = [
    [t.gaussians, splat && count(splat.gaussians)],
    [t.engineFaces, engineMesh && count(engineMesh.faces)],
    [t.vertices, mesh && count(mesh.vertices)],
    [t.faces, mesh && count(mesh.faces)],
    [t.draftFaces, draft?.mesh && count(draft.mesh.faces)],
    [t.closed, mesh && (mesh.watertight ? t.yes : t.no)],
    [
      engineMesh ? t.engineCoverage : t.splatCoverage,
      mesh?.coverage == null ? undefined : percent(mesh.coverage),
    ],
    [t.depth, isUnread(job) ? t.unread : undefined],
    [t.height, mesh?.height === undefined ? undefined : metres(mesh.height)],
    [t.outline, mesh?.truth ? percent(mesh.truth.silhouette) : undefined],
    [t.colours, mesh?.truth?.colour == null ? undefined : percent(mesh.truth.colour)],
    [t.toSplat, spent(splat?.timings)],
    [t.toEngineMesh, spent(engineMesh?.timings)],
    [engineMesh ? t.fromEngineMesh : t.fromSplat, spent(mesh?.timings)],
    [
      // Of a job that was taken up again, the time is that of what was made again.
      job.run > 1 ? t.last : t.whole,
      job.stages.reconstruct.ms === null ? undefined : duration(job.stages.reconstruct.ms),
    ],
    ...withValues(object.options ?? withSeed(DEFAULTS, object.seed)).map(
      ([option, value]): [string, string] => [titleOf(option), optionSaid(value)],
    ),
    [t.engine, job.decoder && `${job.decoder.engine} ${job.decoder.revision}`],
  ];
  return (
    <>
      <details className="figures-fold">
        <summary>{t.figures}</summary>
        <dl className="figures">
          {rows.map(
            ([name, value]) =>
              value !== undefined && (
                <div key={name}>
                  <dt>{name}</dt>
                  <dd>{value}</dd>
                </div>
              ),
          )}
        </dl>
      </details>
      {mesh?.warnings?.map((warning) => (
        <p key={warning} className="note" lang="en">
          {warning}
        </p>
      ))}
    </>
  );
}

/** Whether a depth map came with the photo that is of no use here. */
function isUnread({ depth, takes }: JobView): boolean {
  return Boolean(depth && takes && !takes.includes("depth"));
}

function spent(timings: Record<string, number> | undefined): string | undefined {
  if (!timings) return undefined;
  return duration(Object.values(timings).reduce((sum, ms) => sum + ms, 0));
}
