import {
  type Check,
  isBatch,
  isCreatedJob,
  isDelivery,
  isDeliveryPage,
  isJob,
  isJobPage,
  isKeyPage,
  isNewKey,
  isNewWebhook,
  isShare,
  isShared,
  isSharePage,
  isUploads,
  isWebhookPage,
} from "./answers.js";
import type { Chosen } from "./chosen.js";
import type { PhotoType } from "./domain.js";
import { ApiError, errorOf, offline } from "./error.js";
import { postForm } from "./form.js";
import { Links } from "./links.js";
import type {
  BatchPhoto,
  BatchView,
  CreatedJob,
  CreateKey,
  CreateShare,
  CreateWebhook,
  DeliveryPage,
  DeliveryView,
  JobPage,
  JobView,
  KeyView,
  NewKey,
  NewWebhook,
  ObjectAgain,
  ObjectRequest,
  SharedView,
  ShareView,
  ShownObject,
  UploadForm,
  WebhookView,
} from "./types.js";

/** API Gateway itself gives up after 30 seconds. */
const ANSWER_MS = 35_000;

/** Where tokens come from, and what to do when one is refused. */
export interface Credentials {
  /** The ID token of the person who is signed in. */
  idToken(): Promise<string>;
  /** Resolves when the person has signed in again. */
  renew(): Promise<void>;
}

/** Where the API is, and what lets one in: a program's key, or the ID tokens of a person. */
export type Access = {
  baseUrl: string;
  fetcher?: typeof fetch;
} & ({ key: string } | { token: () => Promise<string>; renew?: () => Promise<void> });

/** A client of a Gen3D. */
export function createClient(access: Access): ApiClient {
  const idToken = "key" in access ? async () => access.key : access.token;
  const renew = "renew" in access && access.renew ? access.renew : async () => undefined;
  return new ApiClient(access.baseUrl.replace(/\/+$/, ""), { idToken, renew }, access.fetcher);
}

/** The HTTP API, typed. Every method throws `ApiError` and nothing else. */
export class ApiClient {
  private readonly links = new Links();

  constructor(
    private readonly baseUrl: string,
    private readonly credentials: Credentials,
    private readonly fetcher: typeof fetch = (input, init) => fetch(input, init),
  ) {}

  /**
   * A job whose photo is uploaded next, and with `depth` a depth map of it; what shows its objects,
   * or it waits for their masks.
   */
  createJob(
    filename: string,
    contentType: PhotoType,
    { objects, depth, once }: { objects?: ShownObject[]; depth?: boolean; once?: string } = {},
  ): Promise<CreatedJob> {
    const body = { filename, contentType, ...(objects && { objects }), ...(depth && { depth }) };
    return this.send(isCreatedJob, "POST", "/jobs", body, once);
  }

  /** A whole job of a photo that lies where everybody may read it. */
  fetchJob(imageUrl: string, objects: ShownObject[], once?: string): Promise<JobView> {
    return this.send(isJob, "POST", "/jobs", { imageUrl, objects }, once);
  }

  /** A job of each of up to a hundred such photos. */
  createBatch(photos: BatchPhoto[], once?: string): Promise<BatchView> {
    return this.send(isBatch, "POST", "/batches", { photos }, once);
  }

  getBatch(batchId: string): Promise<BatchView> {
    return this.send(isBatch, "GET", `/batches/${encodeURIComponent(batchId)}`);
  }

  listJobs(cursor: string | null): Promise<JobPage> {
    const query = cursor ? `?cursor=${encodeURIComponent(cursor)}` : "";
    return this.send(isJobPage, "GET", `/jobs${query}`);
  }

  getJob(jobId: string): Promise<JobView> {
    return this.send(isJob, "GET", `/jobs/${encodeURIComponent(jobId)}`);
  }

  renameJob(jobId: string, name: string): Promise<JobView> {
    return this.send(isJob, "PATCH", `/jobs/${encodeURIComponent(jobId)}`, { name });
  }

  /** Stop a job; its record and files stay. One that had ended stays as it is. */
  cancelJob(jobId: string): Promise<JobView> {
    return this.send(isJob, "POST", `/jobs/${encodeURIComponent(jobId)}/cancel`);
  }

  /** Forget a job and its files. Of one that is gone already nothing is left to do. */
  async deleteJob(jobId: string): Promise<void> {
    try {
      await this.ask("DELETE", `/jobs/${encodeURIComponent(jobId)}`);
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 404)) throw error;
    }
  }

  /** Have a job go on where it ended, some of its objects made anew, or a scene of its one object. */
  retryJob(jobId: string, objects?: Chosen<ObjectAgain>[], scene = false): Promise<JobView> {
    // What is made anew takes the old file's place, and its link has to be another.
    this.links.clear();
    const path = `/jobs/${encodeURIComponent(jobId)}/retry`;
    return this.send(isJob, "POST", path, {
      ...(objects && { objects }),
      ...(scene && { scene }),
    });
  }

  /** Have the photo prepared; where `text` names a thing, masks of all such things come along. */
  initialize(jobId: string, text: string | null): Promise<JobView> {
    return this.send(isJob, "POST", `/jobs/${encodeURIComponent(jobId)}/initialize`, { text });
  }

  async maskUploads(jobId: string, count: number): Promise<UploadForm[]> {
    const path = `/jobs/${encodeURIComponent(jobId)}/masks`;
    return (await this.send(isUploads, "POST", path, { count })).uploads;
  }

  reconstruct(jobId: string, objects: Chosen<ObjectRequest>[]): Promise<JobView> {
    return this.send(isJob, "POST", `/jobs/${encodeURIComponent(jobId)}/reconstruct`, { objects });
  }

  async listKeys(): Promise<KeyView[]> {
    return (await this.send(isKeyPage, "GET", "/keys")).keys;
  }

  createKey(key: CreateKey): Promise<NewKey> {
    return this.send(isNewKey, "POST", "/keys", key);
  }

  async withdrawKey(keyId: string): Promise<void> {
    await this.ask("DELETE", `/keys/${encodeURIComponent(keyId)}`);
  }

  async listWebhooks(): Promise<WebhookView[]> {
    return (await this.send(isWebhookPage, "GET", "/webhooks")).webhooks;
  }

  createWebhook(webhook: CreateWebhook): Promise<NewWebhook> {
    return this.send(isNewWebhook, "POST", "/webhooks", webhook);
  }

  async withdrawWebhook(webhookId: string): Promise<void> {
    await this.ask("DELETE", `/webhooks/${encodeURIComponent(webhookId)}`);
  }

  /** What a webhook was told, newest first. */
  listDeliveries(webhookId: string, cursor: string | null): Promise<DeliveryPage> {
    const query = cursor ? `?cursor=${encodeURIComponent(cursor)}` : "";
    const path = `/webhooks/${encodeURIComponent(webhookId)}/deliveries${query}`;
    return this.send(isDeliveryPage, "GET", path);
  }

  /** Have something sent again, under the id that it had. */
  redeliver(webhookId: string, deliveryId: string): Promise<DeliveryView> {
    const [webhook, delivery] = [webhookId, deliveryId].map(encodeURIComponent);
    const path = `/webhooks/${webhook}/deliveries/${delivery}/redeliver`;
    return this.send(isDelivery, "POST", path);
  }

  async listShares(): Promise<ShareView[]> {
    return (await this.send(isSharePage, "GET", "/shares")).shares;
  }

  createShare(share: CreateShare): Promise<ShareView> {
    return this.send(isShare, "POST", "/shares", share);
  }

  async withdrawShare(shareId: string): Promise<void> {
    await this.ask("DELETE", `/shares/${encodeURIComponent(shareId)}`);
  }

  /** What somebody shared; nobody has to be signed in. */
  async getShared(shareId: string): Promise<SharedView> {
    const path = `/shared/${encodeURIComponent(shareId || "-")}`;
    const signal = AbortSignal.timeout(ANSWER_MS);
    const response = await this.answer(this.baseUrl + path, { signal });
    if (!response.ok) throw await errorOf(response);
    return this.read(isShared, response);
  }

  /** POST a file to a signed form. */
  upload(
    form: UploadForm,
    file: Blob,
    onProgress: (share: number) => void = () => undefined,
  ): Promise<void> {
    return postForm(form, file, onProgress);
  }

  /** With `once`, a word of the caller's, the same request makes nothing a second time. */
  private async send<T>(
    check: Check<T>,
    method: string,
    path: string,
    body?: unknown,
    once?: string,
  ): Promise<T> {
    return this.read(check, await this.ask(method, path, body, once));
  }

  private async read<T>(check: Check<T>, response: Response): Promise<T> {
    const value: unknown = await response.json().catch(() => {
      throw new ApiError("UnexpectedAnswer", "The server's answer is unreadable. Try again.", 502);
    });
    const answer = this.links.steadyAll(value);
    if (check(answer)) return answer;
    throw new ApiError(
      "UnexpectedAnswer",
      "The server's answer is of another version than this page. Reload the page.",
      502,
    );
  }

  private async ask(
    method: string,
    path: string,
    body?: unknown,
    once?: string,
  ): Promise<Response> {
    let response = await this.request(method, path, body, once);
    if (response.status === 401) {
      await this.credentials.renew();
      response = await this.request(method, path, body, once);
    }
    if (!response.ok) throw await errorOf(response);
    return response;
  }

  private async request(
    method: string,
    path: string,
    body: unknown,
    once: string | undefined,
  ): Promise<Response> {
    const headers: Record<string, string> = {
      Authorization: `Bearer ${await this.credentials.idToken()}`,
    };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    if (once !== undefined) headers["Idempotency-Key"] = once;
    const init: RequestInit = { method, headers, signal: AbortSignal.timeout(ANSWER_MS) };
    if (body !== undefined) init.body = JSON.stringify(body);
    return this.answer(this.baseUrl + path, init);
  }

  private async answer(url: string, init: RequestInit): Promise<Response> {
    try {
      return await this.fetcher(url, init);
    } catch {
      throw offline();
    }
  }
}
