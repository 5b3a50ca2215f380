/** Whether the page can work with an answer: the API may be newer than a page that stays open. */

import { JOB_STATUSES, OBJECT_STATUSES } from "./domain";
import type { CreatedJob, JobPage, JobSummary, JobView, ObjectView, UploadForm } from "./types";

export type Check<T> = (value: unknown) => value is T;

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isListOf<T>(value: unknown, check: Check<T>): value is T[] {
  return Array.isArray(value) && value.every(check);
}

function isOneOf(values: readonly string[], value: unknown): boolean {
  return typeof value === "string" && values.includes(value);
}

function isForm(value: unknown): value is UploadForm {
  return isRecord(value) && typeof value.url === "string" && isRecord(value.fields);
}

function isObject(value: unknown): value is ObjectView {
  return isRecord(value) && isOneOf(OBJECT_STATUSES, value.status);
}

function isSummary(value: unknown): value is JobSummary {
  return isRecord(value) && typeof value.jobId === "string" && isOneOf(JOB_STATUSES, value.status);
}

export function isJob(value: unknown): value is JobView {
  return isSummary(value) && isListOf<ObjectView>(value.objects, isObject);
}

export function isJobPage(value: unknown): value is JobPage {
  return isRecord(value) && isListOf(value.jobs, isSummary);
}

export function isCreatedJob(value: unknown): value is CreatedJob {
  return isRecord(value) && typeof value.jobId === "string" && isForm(value.upload);
}

export function isUploads(value: unknown): value is { uploads: UploadForm[] } {
  return isRecord(value) && isListOf(value.uploads, isForm);
}
