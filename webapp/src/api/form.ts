/** The one way in which files go to the bucket: a signed form, which bounds type, length and key. */

import { ApiError } from "./error.js";
import type { UploadForm } from "./types.js";

/** An upload that does not move for so long is given up. */
const STALL_MS = 60_000;

/**
 * POST a file to a signed form. By XMLHttpRequest, where there is one: fetch does not tell how much
 * has gone.
 *
 * @throws ApiError `UploadExpired` where the form is too old, `UploadFailed` for all else.
 */
export function postForm(
  { url, fields }: UploadForm,
  file: Blob,
  onProgress: (share: number) => void,
): Promise<void> {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.append(name, value);
  body.append("file", file);
  if (typeof XMLHttpRequest === "undefined") return fetched(url, body);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const moved = () => {
      clearTimeout(timer);
      timer = setTimeout(() => request.abort(), STALL_MS);
    };
    request.upload.onprogress = ({ loaded, total }) => {
      moved();
      if (total > 0) onProgress(loaded / total);
    };
    request.onload = () => {
      if (request.status >= 200 && request.status < 300) resolve();
      else reject(refused(request.status));
    };
    request.onerror = request.onabort = () => reject(refused(0));
    request.onloadend = () => clearTimeout(timer);
    request.open("POST", url);
    moved();
    request.send(body);
  });
}

async function fetched(url: string, body: FormData): Promise<void> {
  const answer = await fetch(url, { method: "POST", body }).catch(() => null);
  if (!answer?.ok) throw refused(answer?.status ?? 0);
}

function refused(status: number): ApiError {
  if (status === 0) {
    return new ApiError(
      "UploadFailed",
      "The upload was interrupted. Check the connection and try again; what you chose is kept.",
      0,
    );
  }
  if (status === 403) {
    return new ApiError(
      "UploadExpired",
      "The permission to upload has ended. Try again; what you chose is kept.",
      403,
    );
  }
  return new ApiError(
    "UploadFailed",
    `The upload was refused (${status}). Try again; what you chose is kept.`,
    status,
  );
}
