/**
 * Whether the service can be reached: a state of the app, told once, with all that waits for it.
 * What waits goes on by itself.
 */

import { useEffect, useEffectEvent, useSyncExternalStore } from "react";
import { ApiError } from "../api/error";

/** Waits between two tries to reach the service, which grow while they lead to nothing. */
const FIRST_MS = 4000;
const MOST_MS = 30_000;

export interface Connection {
  readonly lost: boolean;
  /** What goes on when it is back, as people call it. */
  readonly waiting: readonly string[];
}

interface Waiting {
  readonly what: string;
  goOn(): void;
}

let state: Connection = { lost: false, waiting: [] };
let all: readonly Waiting[] = [];
let wait = FIRST_MS;
let timer: ReturnType<typeof setTimeout> | undefined;
const listeners = new Set<() => void>();
/** Styles that did not load. */
const unstyled = new Set<HTMLLinkElement>();

function set(lost: boolean, waiting: readonly Waiting[]): void {
  all = waiting;
  state = { lost, waiting: [...new Set(all.map(({ what }) => what))] };
  for (const listener of listeners) listener();
}

/** Whether that is so for want of a connection. */
export function isOffline(error: unknown): boolean {
  return error instanceof ApiError && error.status === 0;
}

/** Something had no answer. */
export function lose(): void {
  if (state.lost) return;
  set(true, all);
  timer = setTimeout(() => void look(), wait);
  wait = Math.min(wait * 1.5, MOST_MS);
}

/** The service can be reached, or may be: what waits goes on. */
export function find(): void {
  clearTimeout(timer);
  const waiting = all;
  if (state.lost || waiting.length > 0) set(false, []);
  for (const { goOn } of waiting) goOn();
}

/** Ask for the page's own address, which says nothing else. */
async function look(): Promise<boolean> {
  const found = await fetch("/config.json", { method: "HEAD", cache: "no-store" }).then(
    () => true,
    () => false,
  );
  if (found) find();
  else if (state.lost) {
    clearTimeout(timer);
    timer = setTimeout(() => void look(), wait);
    wait = Math.min(wait * 1.5, MOST_MS);
  } else lose();
  return found;
}

/** Go on with something when the service can be reached again; returns what gives that up. */
export function whenFound(what: string, goOn: () => void): () => void {
  const mine: Waiting = { what, goOn };
  set(state.lost, [...all, mine]);
  lose();
  return () => {
    if (all.includes(mine))
      set(
        state.lost,
        all.filter((one) => one !== mine),
      );
  };
}

/** `fetch`, which tells whether there was an answer. */
export const watchedFetch: typeof fetch = async (input, init) => {
  try {
    const response = await fetch(input, init);
    // What was lost is looked for at its own pace: where a part of the service alone is gone, others
    // answer, and what waits would be asked for again and again without a pause.
    if (!state.lost) wait = FIRST_MS;
    return response;
  } catch (error) {
    lose();
    throw error;
  }
};

/** Follow what the browser says of it. */
export function watchConnection(): void {
  if (window.navigator?.onLine === false) lose();
  window.addEventListener("offline", lose);
  window.addEventListener("online", find);
  const failed = ({ target }: Event) => {
    if (target instanceof HTMLLinkElement && target.rel === "stylesheet") unstyled.add(target);
  };
  window.addEventListener("error", failed, { capture: true });
}

export function useConnection(): Connection {
  const now = () => state;
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    now,
    now,
  );
}

/**
 * Have something named as waiting, and go on with it.
 *
 * @param cause Why it waits, another with each try that failed; null while it does not.
 */
export function useWaiting(cause: unknown, what: string, goOn: () => void = () => {}): void {
  const again = useEffectEvent(goOn);
  useEffect(() => (cause === null ? undefined : whenFound(what, () => again())), [cause, what]);
}

/** Why something waits that cannot be shown yet: its own failure, or that nothing can be reached. */
export function useCause(error: unknown, there: boolean): unknown {
  const { lost } = useConnection();
  if (isOffline(error)) return error;
  return lost && !there ? "lost" : null;
}

/**
 * Load a part of the app; without a connection it is waited for.
 *
 * @throws What the part's loading threw, where the service can be reached: it is gone.
 */
export async function loaded<T>(what: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    if (!state.lost && (await look())) throw error;
    await new Promise<void>((resolve) => whenFound(what, resolve));
    await styleAgain();
    return loaded(what, load);
  }
}

/** Ask again for styles that did not load: a part that is loaded again does not. */
async function styleAgain(): Promise<void> {
  const missing = [...unstyled];
  unstyled.clear();
  await Promise.all(
    missing.map((link) => {
      const again = link.cloneNode() as HTMLLinkElement;
      const done = new Promise((resolve) => {
        again.onload = again.onerror = resolve;
      });
      link.replaceWith(again);
      return done;
    }),
  );
}
