/** A whole job, for a program that waits for it. */

import { again } from "./again.js";
import type { ApiClient } from "./client.js";
import { PHOTO_ENDINGS, type PhotoType } from "./domain.js";
import { ApiError } from "./error.js";
import type { JobView, ShownObject } from "./types.js";

/** Hears of each look at a job. */
export type Told = (job: JobView) => void;

/**
 * Make meshes of a photo, from its upload to its end, whatever that is.
 *
 * @param photo With its media type, which is a JPEG's, a PNG's, a WebP's or an AVIF's.
 * @param objects What shows them; what stands out where nothing is said.
 * @throws ApiError
 */
export async function make(
  api: ApiClient,
  photo: Blob,
  filename: string,
  objects: ShownObject[] = [{ subject: "auto" }],
  told: Told = () => undefined,
): Promise<JobView> {
  const type = photo.type;
  if (!isPhoto(type)) {
    const taken = Object.keys(PHOTO_ENDINGS).join(", ");
    const says = `${type || "Something without a type"} is not taken. Send one of ${taken}.`;
    throw new ApiError("UnsupportedImage", says, 0);
  }
  const once = crypto.randomUUID();
  const { jobId, upload } = await again(() => api.createJob(filename, type, { objects, once }));
  await again(() => api.upload(upload, photo));
  await again(() => api.initialize(jobId, null));
  return ended(api, jobId, told);
}

/**
 * See a job through to its end, looking as often as its answers say.
 *
 * @throws ApiError
 */
export async function ended(
  api: ApiClient,
  jobId: string,
  told: Told = () => undefined,
): Promise<JobView> {
  for (;;) {
    const job = await again(() => api.getJob(jobId));
    told(job);
    if (job.pollSeconds === null) return job;
    const wait = job.pollSeconds * 1000;
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}

function isPhoto(type: string): type is PhotoType {
  return type in PHOTO_ENDINGS;
}
