import { offline } from "../api/error";
import { errors } from "../texts/en/errors";
import { texts } from "../texts/texts";

const ANSWER_MS = 30_000;

/** What the stack's outputs say; written beside the app by whoever deploys it. */
export interface AppConfig {
  region: string;
  /** What runs in the container; "sam" also finds things by their names. */
  engine: string;
  apiUrl: string;
  userPoolId: string;
  userPoolClientId: string;
  bucket: string;
  /** Whether people make their own accounts, or an administrator does. */
  selfSignUp: boolean;
  /** One address for every service, where the stack runs on one machine. */
  endpoint?: string;
}

const REQUIRED = [
  "region",
  "engine",
  "apiUrl",
  "userPoolId",
  "userPoolClientId",
  "bucket",
] as const;

/**
 * Check what was fetched.
 *
 * @throws Error that names the missing field.
 */
export function parseConfig(value: unknown): AppConfig {
  const fields = (value ?? {}) as Record<string, unknown>;
  for (const name of REQUIRED) {
    if (typeof fields[name] !== "string" || fields[name] === "") {
      throw new Error(texts(errors).configLacks(name));
    }
  }
  const config = fields as unknown as AppConfig;
  return {
    ...config,
    apiUrl: config.apiUrl.replace(/\/$/, ""),
    // Older files do not say.
    selfSignUp: fields.selfSignUp !== false,
  };
}

/** Fetch `/config.json` from where the app itself came from. */
export async function loadConfig(): Promise<AppConfig> {
  const signal = AbortSignal.timeout(ANSWER_MS);
  const response = await fetch("/config.json", { cache: "no-cache", signal }).catch(() => {
    throw offline();
  });
  if (!response.ok) {
    throw new Error(texts(errors).configAnswered(response.status));
  }
  return parseConfig(await response.json());
}
