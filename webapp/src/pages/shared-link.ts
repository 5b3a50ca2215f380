/**
 * A link that shows one object to anybody: the signed links to its files travel in the fragment,
 * which no server sees, and end when their signatures do.
 */

import { expiryOf } from "../api/links";
import type { ObjectView } from "../api/types";
import type { AppConfig } from "../config/config";

export interface SharedObject {
  readonly name: string;
  readonly glb: string | null;
  readonly splat: string | null;
}

/** Where the stack's files lie. */
type Place = Pick<AppConfig, "bucket" | "region" | "endpoint">;

/** The fragment for an object. */
export function toFragment({ name, files, splat }: ObjectView): string {
  const gaussians = files?.spz?.url ?? splat?.url ?? null;
  const shared: SharedObject = { name, glb: files?.glb?.url ?? null, splat: gaussians };
  const bytes = new TextEncoder().encode(JSON.stringify(shared));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");
}

/**
 * What a fragment holds; null where it is none of ours or leads elsewhere than into the bucket.
 */
export function fromFragment(fragment: string, place: Place): SharedObject | null {
  try {
    const text = atob(fragment.replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(text, (char) => char.charCodeAt(0));
    const { name, glb, splat } = JSON.parse(new TextDecoder().decode(bytes)) as SharedObject;
    const links = [glb, splat].filter((link) => link !== null);
    if (typeof name !== "string" || links.length === 0) return null;
    return links.every((link) => isIn(place, link)) ? { name, glb, splat } : null;
  } catch {
    return null;
  }
}

function isIn({ bucket, region, endpoint }: Place, link: string): boolean {
  const folders = [`s3.${region}`, "s3"].map((s3) => `https://${bucket}.${s3}.amazonaws.com/`);
  // A stack on one machine has one host for everything, and the bucket in the path.
  if (endpoint) folders.push(`${new URL(endpoint).origin}/${bucket}/`);
  const { href } = new URL(link);
  return folders.some((folder) => href.startsWith(folder));
}

/** When the first of the links ends. */
export function endOf({ glb, splat }: SharedObject): Date | null {
  const ends = [glb, splat]
    .filter((link) => link !== null)
    .map(expiryOf)
    .filter((end) => end !== null);
  return ends.length ? new Date(Math.min(...ends.map(Number))) : null;
}
