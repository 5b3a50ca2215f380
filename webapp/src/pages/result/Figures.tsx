import { DEFAULTS, titled, withSeed } from "../../api/chosen";
import type { JobView, ObjectView } from "../../api/types";
import { count, duration, metres, percent } from "../../ui/format";

/** The numbers of an object. */
export function Figures({ job, object }: { job: JobView; object: ObjectView }) {
  const { splat, engineMesh, mesh, draft } = object;
  const rows: [string, string | undefined][] = [
    ["Gaussians", splat && count(splat.gaussians)],
    ["Faces of the engine's mesh", engineMesh && count(engineMesh.faces)],
    ["Vertices", mesh && count(mesh.vertices)],
    ["Faces", mesh && count(mesh.faces)],
    ["Faces of the draft", draft?.mesh && count(draft.mesh.faces)],
    ["Closed surface", mesh && (mesh.watertight ? "yes" : "no")],
    [
      engineMesh ? "Coverage of the engine's mesh" : "Coverage of the splat",
      mesh?.coverage == null ? undefined : percent(mesh.coverage),
    ],
    ["Depth map", unread(job)],
    ["Height", mesh?.height === undefined ? undefined : metres(mesh.height)],
    ["Outline as in the photo", mesh?.truth ? percent(mesh.truth.silhouette) : undefined],
    [
      "Colours as in the photo",
      mesh?.truth?.colour == null ? undefined : percent(mesh.truth.colour),
    ],
    ["From photo to splat", spent(splat?.timings)],
    ["From photo to the engine's mesh", spent(engineMesh?.timings)],
    [
      engineMesh ? "From the engine's mesh to this one" : "From splat to mesh",
      spent(mesh?.timings),
    ],
    [
      // Of a job that was taken up again, the time is that of what was made again.
      job.run > 1 ? "Last reconstruction" : "Whole reconstruction",
      job.stages.reconstruct.ms === null ? undefined : duration(job.stages.reconstruct.ms),
    ],
    ...titled(object.options ?? withSeed(DEFAULTS, object.seed)).map(
      ([title, value]): [string, string] => [title, String(value)],
    ),
    ["Engine", job.decoder && `${job.decoder.engine} ${job.decoder.revision}`],
  ];
  return (
    <>
      <details className="figures-fold">
        <summary>Figures</summary>
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
        <p key={warning} className="note">
          {warning}
        </p>
      ))}
    </>
  );
}

/** Of a depth map that came with the photo, where it is of no use here. */
function unread({ depth, takes }: JobView): string | undefined {
  return depth && takes && !takes.includes("depth") ? "not read by this engine" : undefined;
}

function spent(timings: Record<string, number> | undefined): string | undefined {
  if (!timings) return undefined;
  return duration(Object.values(timings).reduce((sum, ms) => sum + ms, 0));
}
