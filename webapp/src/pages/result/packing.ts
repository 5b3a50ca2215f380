/** Which files "Download all" takes, and how they are called in the ZIP. */

import { MESH_FORMATS, SCENE_FORMATS, SPLAT_FORMATS } from "../../api/domain";
import type { JobView } from "../../api/types";
import type { Wanted } from "../../api/zip";
import { fileName } from "../../ui/save";
import type { Taken } from "./Downloads";

interface Linked {
  readonly url: string;
  readonly bytes: number;
}

/** All files of an object, named as each is when it is downloaded by itself. */
export function filesOf(object: Taken): Wanted[] {
  const { draft, splat, engineMesh } = object;
  const name = fileName(draft ? `${object.name}-draft` : object.name);
  const files = object.files ?? draft?.files ?? {};
  const wanted: Wanted[] = [];
  const take = (called: string, file: Linked | undefined) =>
    file && wanted.push({ name: called, url: file.url, bytes: file.bytes });
  for (const { ending } of [...MESH_FORMATS, ...SPLAT_FORMATS]) {
    take(`${name}.${ending}`, files[ending]);
  }
  take(`${name}-splat.ply`, splat);
  take(`${name}-engine.glb`, engineMesh);
  return wanted;
}

/** All files of a job: a folder for each object, and those of all together. */
export function filesOfJob(job: JobView): Wanted[] {
  const folders = new Folders();
  const wanted = job.objects.flatMap((object) => {
    const folder = folders.of(object.name);
    return filesOf(object).map((file) => ({ ...file, name: `${folder}/${file.name}` }));
  });
  for (const { ending } of SCENE_FORMATS) {
    const file = job.scene?.files?.[ending];
    if (file) wanted.push({ ...file, name: `${fileName(job.name)}-scene.${ending}` });
  }
  return wanted;
}

/** All files of several jobs, a folder for each. */
export function filesOfJobs(jobs: readonly JobView[]): Wanted[] {
  const folders = new Folders();
  return jobs.flatMap((job) => {
    const folder = folders.of(job.name);
    return filesOfJob(job).map((file) => ({ ...file, name: `${folder}/${file.name}` }));
  });
}

/** Names for folders beside each other: most computers do not tell small letters from capitals. */
class Folders {
  private readonly taken = new Set<string>();

  of(name: string): string {
    const wanted = fileName(name);
    let folder = wanted;
    for (let n = 2; this.taken.has(folder.toLowerCase()); n++) folder = `${wanted} ${n}`;
    this.taken.add(folder.toLowerCase());
    return folder;
  }
}
