/** What a browser keeps of a job until the server has it, so that a reload loses nothing. */

import { clear, del, get, keys, set } from "idb-keyval";
import type { OptionsView, UploadForm } from "../api/types";
import type { EmbeddingsMeta } from "../decoder/embeddings";
import type { Photo } from "../photo/photo";
import type { History } from "../selection/history";
import type { Decoded } from "../selection/prompt";
import type { Selection } from "../selection/selection";

/** A photo that has no job yet, and what to look for in it. */
export interface KeptChoice {
  readonly photo: Photo;
  readonly text: string;
  readonly depth?: Blob | null;
}

/** In the place of a job's id. */
export const NO_JOB = "none";

/** A photo on its way, and what to look for in it. */
export interface KeptPhoto {
  readonly blob: Blob;
  readonly text: string | null;
  /** Where it goes to, and since when that is known. Earlier versions of this page kept no form. */
  readonly form?: UploadForm;
  readonly at: number;
  /** Whether the bucket has it already, and its depth map. */
  readonly uploaded: boolean;
  /** How far away is what it shows, where a phone has measured it, and where that goes to. */
  readonly depth?: { readonly blob: Blob; readonly form: UploadForm } | null;
}

/** A selection and the decoder's answers for its objects, in their order. */
export interface KeptSelection {
  readonly selection: Selection;
  /** What can be undone, and done again; earlier versions of this page did not keep it. */
  readonly history?: Pick<History, "past" | "future">;
  readonly answers: readonly (Decoded | null)[];
  /** Whose answers they are; earlier versions of this page did not keep it. */
  readonly by?: Pick<EmbeddingsMeta, "engine" | "revision" | "singleMaskIndex">;
}

/** Masks that were confirmed and are to be sent. */
export interface Submission {
  readonly objects: readonly { name: string; mask: Blob }[];
  /** Earlier versions of this page kept none, as there was nothing to choose. */
  readonly options?: OptionsView;
}

interface Kinds {
  choice: KeptChoice;
  photo: KeptPhoto;
  selection: KeptSelection;
  submission: Submission;
}

const KINDS = ["choice", "photo", "selection", "submission"] as const;

/** What the browser does not keep (private windows, a full disk): this tab has it until a reload. */
const here = new Map<string, unknown>();

/** Tells the page's other tabs, and never this one, of what is kept; opened once it is needed. */
let tabs: BroadcastChannel | undefined;

/** Where storage is refused the channel may be, too; then there is nothing to tell of. */
function otherTabs(): BroadcastChannel | undefined {
  try {
    tabs ??= new BroadcastChannel("gen3d-kept");
  } catch {
    return undefined;
  }
  return tabs;
}

/** Hear of it when another tab keeps something; gives what ends it. */
export function onKeptElsewhere(kind: keyof Kinds, jobId: string, heard: () => void): () => void {
  const listen = ({ data }: MessageEvent) => {
    if (data === `${kind}:${jobId}`) heard();
  };
  const channel = otherTabs();
  channel?.addEventListener("message", listen);
  return () => channel?.removeEventListener("message", listen);
}

/** Read what was kept; undefined where there is none. */
export async function kept<K extends keyof Kinds>(
  kind: K,
  jobId: string,
): Promise<Kinds[K] | undefined> {
  const key = `${kind}:${jobId}`;
  if (here.has(key)) return here.get(key) as Kinds[K];
  return tried(() => get<Kinds[K]>(key));
}

/** Keep something, and say whether a reload will find it: a browser that keeps nothing loses it then. */
export async function keep<K extends keyof Kinds>(
  kind: K,
  jobId: string,
  value: Kinds[K],
): Promise<boolean> {
  const key = `${kind}:${jobId}`;
  here.set(key, value);
  const there = await tried(async () => {
    await set(key, value);
    if (here.get(key) === value) here.delete(key);
    otherTabs()?.postMessage(key);
    return true;
  });
  return there ?? false;
}

export async function drop(kind: keyof Kinds, jobId: string): Promise<void> {
  const key = `${kind}:${jobId}`;
  here.delete(key);
  await tried(() => del(key));
}

export async function dropJob(jobId: string): Promise<void> {
  await Promise.all(KINDS.map((kind) => drop(kind, jobId)));
}

/** The jobs of which something is kept. */
export async function keptJobs(): Promise<string[]> {
  const there = (await tried(() => keys<string>())) ?? [];
  const jobs = [...there, ...here.keys()].map((key) => key.slice(key.indexOf(":") + 1));
  return [...new Set(jobs)].filter((jobId) => jobId !== NO_JOB);
}

/** Forget everything: somebody has signed out. */
export async function dropAll(): Promise<void> {
  here.clear();
  await tried(clear);
}

/** A storage that says nothing for so long is as one that refuses: nobody waits for it. */
const PATIENCE_MS = 5_000;

/** IndexedDB refuses now with a rejection, now by throwing at once, and now by no answer ever. */
async function tried<T>(work: () => Promise<T>): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const silence = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), PATIENCE_MS);
  });
  try {
    return await Promise.race([work(), silence]);
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}
