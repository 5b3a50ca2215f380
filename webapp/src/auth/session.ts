/** Who is signed in, and signing in again without losing what is on the page. */

import { signOut as amplifySignOut, fetchAuthSession } from "aws-amplify/auth";
import { Hub } from "aws-amplify/utils";
import { useSyncExternalStore } from "react";
import type { Credentials } from "../api/client";
import { ApiError, offline } from "../api/error";
import { auth } from "../texts/en/auth";
import { texts } from "../texts/texts";

export interface Person {
  readonly sub: string;
  readonly email: string;
}

export interface Session {
  /** Undefined until it is known. */
  readonly person: Person | null | undefined;
  /** A request waits for the person to sign in again. */
  readonly expired: boolean;
  /** Who it is cannot be asked at the moment; that is tried again. */
  readonly unreachable?: boolean;
}

const AGAIN_MS = 4000;

interface Waiting {
  resolve(): void;
  reject(error: ApiError): void;
}

let session: Session = { person: undefined, expired: false };
let waiting: Waiting[] = [];
const listeners = new Set<() => void>();

function set(next: Session): void {
  session = next;
  for (const listener of listeners) listener();
}

export function useSession(): Session {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => session,
  );
}

/** Who is signed in, outside a component. */
export function personNow(): Person | null | undefined {
  return session.person;
}

/** Call back whenever somebody else is signed in, or nobody any more. */
export function watchPerson(changed: () => void): void {
  let sub = session.person?.sub;
  listeners.add(() => {
    if (session.person?.sub === sub) return;
    sub = session.person?.sub;
    changed();
  });
}

/** Find out who is signed in, and follow it from now on. */
export async function startSession(): Promise<void> {
  Hub.listen("auth", ({ payload }) => {
    if (payload.event === "signedIn") void signedIn();
    if (payload.event === "signedOut" && !session.expired) set({ person: null, expired: false });
  });
  set({ person: await readPerson(), expired: false });
}

async function signedIn(): Promise<void> {
  const person = await readPerson();
  if (session.expired && person?.sub !== session.person?.sub) {
    // Somebody else: what is on the page is not theirs.
    window.location.assign("/gallery");
    return;
  }
  set({ person, expired: false });
  for (const { resolve } of waiting) resolve();
  waiting = [];
}

/** Give up waiting for the sign-in. */
export function dismissSignIn(): void {
  set({ person: null, expired: false });
  for (const { reject } of waiting) {
    reject(new ApiError("Unauthorized", texts(auth).signedOut, 401));
  }
  waiting = [];
}

export async function signOut(): Promise<void> {
  await amplifySignOut();
  set({ person: null, expired: false });
}

/**
 * The ID token; undefined only where the session is over.
 *
 * @throws ApiError where that cannot be asked: a short failure must not cost anybody their session.
 */
async function readToken(forceRefresh = false) {
  try {
    return (await fetchAuthSession({ forceRefresh })).tokens?.idToken;
  } catch (error) {
    // The identity pool's word for tokens that were revoked before their time.
    if (error instanceof Error && error.name === "NotAuthorizedException") return undefined;
    console.warn("Session", error);
    throw offline();
  }
}

/** Ask until there is an answer: without one, neither the page nor the sign-in form is right. */
async function readPerson(): Promise<Person | null> {
  try {
    const token = await readToken();
    if (token) return { sub: String(token.payload.sub), email: String(token.payload.email ?? "") };
    await forget();
    return null;
  } catch {
    set({ ...session, person: session.person ?? undefined, unreachable: true });
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    return readPerson();
  }
}

/** Clear what is left of an old session, or the sign-in form would think it still good. */
async function forget(): Promise<void> {
  await amplifySignOut().catch(() => undefined);
}

async function renew(): Promise<void> {
  if (!session.expired) {
    if (await readToken(true)) return;
    set({ person: session.person, expired: true });
    await forget();
  }
  return new Promise((resolve, reject) => {
    waiting.push({ resolve, reject });
  });
}

/** The API client's credentials. */
export const credentials: Credentials = {
  async idToken() {
    const token = await readToken();
    if (token) return token.toString();
    await renew();
    const renewed = await readToken();
    if (!renewed) throw new ApiError("Unauthorized", texts(auth).expired, 401);
    return renewed.toString();
  },
  renew,
};
