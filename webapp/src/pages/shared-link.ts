/**
 * A link that shows one object to anybody: the signed links to its files travel in the fragment,
 * which no server sees, and end when their signatures do.
 */

import { expiryOf } from "../api/links";
import type { ObjectView } from "../api/types";

export interface SharedObject {
  readonly name: string;
  readonly glb: string | null;
  readonly splat: string | null;
}

/** The fragment for an object. */
export function toFragment({ name, files, splat }: ObjectView): string {
  const shared: SharedObject = { name, glb: files?.glb?.url ?? null, splat: splat?.url ?? null };
  const bytes = new TextEncoder().encode(JSON.stringify(shared));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");
}

/**
 * What a fragment holds; null where it is none of ours or leads elsewhere than into the bucket.
 */
export function fromFragment(fragment: string, bucket: string): SharedObject | null {
  try {
    const text = atob(fragment.replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(text, (char) => char.charCodeAt(0));
    const { name, glb, splat } = JSON.parse(new TextDecoder().decode(bytes)) as SharedObject;
    const links = [glb, splat].filter((link) => link !== null);
    if (typeof name !== "string" || links.length === 0) return null;
    return links.every((link) => isOf(bucket, link)) ? { name, glb, splat } : null;
  } catch {
    return null;
  }
}

function isOf(bucket: string, link: string): boolean {
  const { hostname, pathname } = new URL(link);
  return hostname.startsWith(`${bucket}.s3.`) || pathname.startsWith(`/${bucket}/`);
}

/** When the first of the links ends. */
export function endOf({ glb, splat }: SharedObject): Date | null {
  const ends = [glb, splat]
    .filter((link) => link !== null)
    .map(expiryOf)
    .filter((end) => end !== null);
  return ends.length ? new Date(Math.min(...ends.map(Number))) : null;
}
