/** What a browser keeps of a job until the server has it, so that a reload loses nothing. */

import { clear, del, get, set } from "idb-keyval";
import type { Selection } from "../selection/model";
import type { Decoded } from "../selection/prompt";

/** A photo on its way, and what to look for in it. */
export interface KeptPhoto {
  readonly blob: Blob;
  readonly text: string | null;
}

/** A selection and the decoder's answers for its objects, in their order. */
export interface KeptSelection {
  readonly selection: Selection;
  readonly answers: readonly (Decoded | null)[];
}

/** Masks that were confirmed and are to be sent. */
export interface Submission {
  readonly objects: readonly { name: string; seed: number; mask: Blob }[];
}

interface Kinds {
  photo: KeptPhoto;
  selection: KeptSelection;
  submission: Submission;
}

const KINDS = ["photo", "selection", "submission"] as const;

/** Read what was kept; undefined where there is none, or where the browser keeps nothing. */
export async function kept<K extends keyof Kinds>(
  kind: K,
  jobId: string,
): Promise<Kinds[K] | undefined> {
  return get<Kinds[K]>(`${kind}:${jobId}`).catch(() => undefined);
}

/** Keep something. A browser that keeps nothing (private windows) only loses it on a reload. */
export async function keep<K extends keyof Kinds>(
  kind: K,
  jobId: string,
  value: Kinds[K],
): Promise<void> {
  await set(`${kind}:${jobId}`, value).catch(() => undefined);
}

export async function drop(kind: keyof Kinds, jobId: string): Promise<void> {
  await del(`${kind}:${jobId}`).catch(() => undefined);
}

export async function dropJob(jobId: string): Promise<void> {
  await Promise.all(KINDS.map((kind) => drop(kind, jobId)));
}

/** Forget everything: somebody has signed out. */
export async function dropAll(): Promise<void> {
  await clear().catch(() => undefined);
}
