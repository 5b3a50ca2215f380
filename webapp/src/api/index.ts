/** What a program imports that installs this folder as the package `gen3d-client`. */

export { again } from "./again.js";
export type { Access, Credentials } from "./client.js";
export { ApiClient, createClient } from "./client.js";
export * from "./domain.js";
export { DownloadError, download } from "./download.js";
export { ApiError } from "./error.js";
export type * from "./types.js";
export { ended, make } from "./whole-job.js";
