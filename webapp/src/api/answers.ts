/** Whether the page can work with an answer: the API may be newer than a page that stays open. */

import { JOB_STATUSES, OBJECT_STATUSES } from "./domain.js";
import type {
  BatchItem,
  BatchView,
  CreatedJob,
  DecoderView,
  DeliveryPage,
  DeliveryView,
  DraftView,
  JobPage,
  JobSummary,
  JobView,
  KeyPage,
  KeyView,
  NewKey,
  NewWebhook,
  ObjectView,
  OffersView,
  OptionsView,
  ProgressView,
  SharedView,
  SharePage,
  ShareView,
  UploadForm,
  VariantView,
  WebhookPage,
  WebhookView,
} from "./types.js";

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

function isAbsentOr<T>(check: Check<T>, value: unknown): value is T | undefined {
  return value === undefined || check(value);
}

function isFlag(value: unknown): value is boolean {
  return typeof value === "boolean";
}

function isForm(value: unknown): value is UploadForm {
  return isRecord(value) && typeof value.url === "string" && isRecord(value.fields);
}

function isDraft(value: unknown): value is DraftView {
  return isRecord(value) && isRecord(value.files);
}

function isProgress(value: unknown): value is ProgressView {
  return (
    isRecord(value) &&
    typeof value.phase === "string" &&
    typeof value.fraction === "number" &&
    (value.restSeconds === null || typeof value.restSeconds === "number")
  );
}

function isVariant(value: unknown): value is VariantView {
  return (
    isRecord(value) &&
    typeof value.seed === "number" &&
    isOneOf(OBJECT_STATUSES, value.status) &&
    isFlag(value.kept)
  );
}

function areVariants(value: unknown): value is VariantView[] {
  return isListOf(value, isVariant);
}

function hasParts(value: unknown): value is Record<keyof OptionsView, Record<string, unknown>> {
  return isRecord(value) && isRecord(value.engine) && isRecord(value.mesh);
}

function isOptions(value: unknown): value is OptionsView {
  return hasParts(value);
}

function isOffered(value: unknown): boolean {
  if (!isRecord(value)) return false;
  return Array.isArray(value.values) || typeof value.maximum === "number";
}

function isOffers(value: unknown): value is OffersView {
  return (
    hasParts(value) && Object.values(value).every((part) => Object.values(part).every(isOffered))
  );
}

function isObject(value: unknown): value is ObjectView {
  return (
    isRecord(value) &&
    isOneOf(OBJECT_STATUSES, value.status) &&
    isAbsentOr(isDraft, value.draft) &&
    isAbsentOr(areVariants, value.variants) &&
    isAbsentOr(isProgress, value.progress) &&
    isAbsentOr(isOptions, value.options)
  );
}

function isDecoder(value: unknown): value is DecoderView {
  return (
    isRecord(value) &&
    typeof value.engine === "string" &&
    typeof value.revision === "string" &&
    typeof value.url === "string" &&
    isAbsentOr(isFlag, value.draft)
  );
}

function isSummary(value: unknown): value is JobSummary {
  return (
    isRecord(value) &&
    typeof value.jobId === "string" &&
    isOneOf(JOB_STATUSES, value.status) &&
    isAbsentOr(isFlag, value.draft)
  );
}

export function isJob(value: unknown): value is JobView {
  return (
    isSummary(value) &&
    isListOf<ObjectView>(value.objects, isObject) &&
    isAbsentOr(isDecoder, (value as { decoder?: unknown }).decoder) &&
    isAbsentOr(isOffers, (value as { offers?: unknown }).offers)
  );
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

export function isShare(value: unknown): value is ShareView {
  return (
    isRecord(value) &&
    typeof value.shareId === "string" &&
    typeof value.jobId === "string" &&
    typeof value.object === "number" &&
    typeof value.endsAt === "string"
  );
}

export function isSharePage(value: unknown): value is SharePage {
  return isRecord(value) && isListOf(value.shares, isShare);
}

export function isShared(value: unknown): value is SharedView {
  return isRecord(value) && typeof value.name === "string" && isRecord(value.files);
}

export function isBatch(value: unknown): value is BatchView {
  return (
    isRecord(value) &&
    typeof value.batchId === "string" &&
    isRecord(value.counts) &&
    isListOf(value.jobs, isBatchItem)
  );
}

function isBatchItem(value: unknown): value is BatchItem {
  return isRecord(value) && typeof value.jobId === "string";
}

function isKey(value: unknown): value is KeyView {
  return (
    isRecord(value) &&
    typeof value.keyId === "string" &&
    typeof value.name === "string" &&
    typeof value.createdAt === "string" &&
    Array.isArray(value.rights)
  );
}

export function isNewKey(value: unknown): value is NewKey {
  return isKey(value) && "key" in value && typeof value.key === "string";
}

export function isKeyPage(value: unknown): value is KeyPage {
  return isRecord(value) && isListOf(value.keys, isKey);
}

function isWebhook(value: unknown): value is WebhookView {
  return (
    isRecord(value) &&
    typeof value.webhookId === "string" &&
    typeof value.url === "string" &&
    typeof value.createdAt === "string" &&
    Array.isArray(value.events)
  );
}

export function isNewWebhook(value: unknown): value is NewWebhook {
  return isWebhook(value) && "secret" in value && typeof value.secret === "string";
}

export function isWebhookPage(value: unknown): value is WebhookPage {
  return isRecord(value) && isListOf(value.webhooks, isWebhook);
}

export function isDelivery(value: unknown): value is DeliveryView {
  return (
    isRecord(value) &&
    typeof value.deliveryId === "string" &&
    typeof value.jobId === "string" &&
    typeof value.state === "string" &&
    isListOf(value.attempts, isRecord)
  );
}

export function isDeliveryPage(value: unknown): value is DeliveryPage {
  return isRecord(value) && isListOf(value.deliveries, isDelivery);
}
