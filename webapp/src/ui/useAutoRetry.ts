import { useEffect, useEffectEvent } from "react";
import { about } from "../api/again";
import { ApiError } from "../api/error";
import { whenFound } from "./connection";

/** Who waits for longer than this has left, or presses the button. */
const LONGEST_MS = 2 * 60_000;

/**
 * Milliseconds until something that was refused may be asked for again by itself: at once when the
 * connection is back, or when a limit or a busy server has room. Null where a person decides.
 */
export function autoRetryDelay(error: unknown): number | "online" | null {
  if (!(error instanceof ApiError)) return null;
  if (error.status === 0) return "online";
  const wait = error.retryAfter === null ? null : error.retryAfter * 1000;
  return wait !== null && wait <= LONGEST_MS ? wait : null;
}

/** Ask again by itself for what was refused for a while; `what` it is is told where it waits. */
export function useAutoRetry(error: unknown, what: string, ask: () => void): void {
  const again = useEffectEvent(ask);
  useEffect(() => {
    const when = autoRetryDelay(error);
    if (when === null) return;
    if (when === "online") return whenFound(what, () => again());
    // Later than the server says, never sooner.
    const timer = setTimeout(() => again(), when + about(1000));
    return () => clearTimeout(timer);
  }, [error, what]);
}
