import { ApiError } from "../api/error";
import type { PhotoType } from "../api/types";
import { ENDING } from "./photo";

/** Put a photo into its job's folder, with the person's own credentials. */
export async function uploadPhoto(
  prefix: string,
  type: PhotoType,
  blob: Blob,
  onProgress: (share: number) => void,
): Promise<void> {
  try {
    const { uploadData } = await import("aws-amplify/storage");
    await uploadData({
      path: `${prefix}image.${ENDING[type]}`,
      data: blob,
      options: {
        contentType: type,
        onProgress: ({ transferredBytes, totalBytes }) =>
          onProgress(transferredBytes / (totalBytes ?? blob.size)),
      },
    }).result;
  } catch (error) {
    console.warn("Upload", error);
    throw new ApiError(
      "UploadFailed",
      "The upload was interrupted. Check the connection and try again; the photo is kept.",
      0,
    );
  }
}
