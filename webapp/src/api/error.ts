import { isRecord } from "./answers.js";

const PHOTO_REFUSALS = ["InvalidImage", "UnsupportedImage", "ImageTooLarge", "ImageTooSmall"];

/**
 * Every failure of a request: `name` is the API's name for it (`JobConflict`, `InvalidMask`, …),
 * the message a sentence for the person. Five names are of this side: `Offline` (no answer at all),
 * `TooManyRequests` (the gateway's answer), `UnexpectedAnswer` (one that is not the API's), and the
 * bucket's `UploadFailed` and `UploadExpired` (a form that is too old).
 */
export class ApiError extends Error {
  readonly status: number;
  /** Seconds that the server wants to have in peace, where it says so. */
  readonly retryAfter: number | null;
  /** When it may be asked again. */
  readonly retryAt: Date | null;

  constructor(name: string, message: string, status: number, retryAfter: number | null = null) {
    super(message);
    this.name = name;
    this.status = status;
    this.retryAfter = retryAfter;
    this.retryAt = retryAfter === null ? null : new Date(Date.now() + retryAfter * 1000);
  }

  /** Whether it is the photo itself that the server does not take. */
  get refusesPhoto(): boolean {
    return PHOTO_REFUSALS.includes(this.name);
  }

  /** Whether asking once more in a moment may help; a person's limit ends later than that. */
  get transient(): boolean {
    if (this.name === "LimitReached") return false;
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/** No answer at all. */
export function offline(): ApiError {
  return new ApiError(
    "Offline",
    "The server cannot be reached. Check the connection; nothing you did is lost.",
    0,
  );
}

/** Read an answer that is not 2xx. */
export async function errorOf(response: Response): Promise<ApiError> {
  const json: unknown = await response.json().catch(() => null);
  const body = isRecord(json) ? json : null;
  const after = secondsOf(body?.retryAfter) ?? secondsOf(response.headers.get("Retry-After"));
  if (typeof body?.error === "string" && typeof body.message === "string") {
    return new ApiError(body.error, body.message, response.status, after);
  }
  if (response.status === 401) {
    return new ApiError("Unauthorized", "Your sign-in has expired. Sign in again.", 401);
  }
  if (response.status === 429) {
    return new ApiError("TooManyRequests", "That was a lot at once. Wait a moment.", 429, after);
  }
  return new ApiError(
    "UnexpectedAnswer",
    `The server answered ${response.status}. Try again in a moment.`,
    response.status,
    after,
  );
}

function secondsOf(value: unknown): number | null {
  const seconds = Number(value ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds : null;
}
