/** Bringing a photo to its job, from wherever an earlier try got to. */

import { again } from "../api/again";
import type { ApiClient } from "../api/client";
import type { PhotoType } from "../api/domain";
import { ApiError } from "../api/error";
import type { JobView } from "../api/types";
import { drop, type KeptPhoto, keep, kept } from "../kept/kept";

/** A form is good for an hour; an upload wants some of it. */
const FORM_MS = 50 * 60_000;
/** A form that is refused sooner than this is refused for another reason. */
const YOUNG_MS = 5 * 60_000;

export type Delivered =
  /** The photo is there, and the job begins with it. */
  | { readonly begun: JobView }
  /** The form was too old: another job has the photo now. */
  | { readonly instead: string }
  /** Neither the server nor this browser has the photo. */
  | { readonly missing: true };

type Api = Pick<ApiClient, "createJob" | "deleteJob" | "initialize" | "upload">;

/**
 * Upload the photo that is kept for a job, and have it prepared. Where nothing is kept, it may have
 * been uploaded from another browser, or in a visit that ended before the job began.
 */
export async function deliver(
  api: Api,
  job: JobView,
  tell: { photo(blob: Blob | null): void; progress(share: number): void },
): Promise<Delivered> {
  const { jobId } = job;
  const found = await kept("photo", jobId);
  tell.photo(found?.blob ?? null);
  if (found && !found.uploaded) {
    if (!found.form || Date.now() - found.at > FORM_MS) return startAnew(api, job, found);
    const { form, blob, at } = found;
    try {
      await again(() => api.upload(form, blob, tell.progress));
      const { depth } = found;
      if (depth) await again(() => api.upload(depth.form, depth.blob, () => undefined));
    } catch (error) {
      const expired = error instanceof ApiError && error.name === "UploadExpired";
      if (!expired || Date.now() - at < YOUNG_MS) throw error;
      return startAnew(api, job, found);
    }
    await keep("photo", jobId, { ...found, uploaded: true });
  }
  tell.progress(1);
  try {
    return { begun: await again(() => api.initialize(jobId, found?.text ?? null)) };
  } catch (error) {
    if (!(error instanceof ApiError && error.name === "ImageMissing")) throw error;
    if (!found) return { missing: true };
    await keep("photo", jobId, { ...found, uploaded: false });
    throw error;
  }
}

/** Give a photo a job of its own in place of one that cannot take it any more. */
export async function startAnew(
  api: Api,
  job: Pick<JobView, "jobId" | "contentType" | "filename">,
  photo: Pick<KeptPhoto, "blob" | "text" | "depth">,
): Promise<{ instead: string }> {
  const type = (photo.blob.type || job.contentType) as PhotoType;
  const depth = photo.depth?.blob ?? null;
  const created = await again(() =>
    api.createJob(job.filename, type, depth ? { depth: true } : {}),
  );
  await keepPhoto(created, photo, depth);
  await drop("photo", job.jobId);
  // Nothing was in it; what is left of it is of no use to anybody.
  await api.deleteJob(job.jobId).catch(() => undefined);
  return { instead: created.jobId };
}

/** Keep a photo for a job that was just created, with the form for it. */
export async function keepPhoto(
  { jobId, upload, depth: form }: Awaited<ReturnType<Api["createJob"]>>,
  { blob, text }: Pick<KeptPhoto, "blob" | "text">,
  map: Blob | null = null,
): Promise<void> {
  const depth = map && form ? { blob: map, form } : null;
  await keep("photo", jobId, { blob, text, form: upload, at: Date.now(), uploaded: false, depth });
}
