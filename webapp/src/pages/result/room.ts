/** Where an object may be seen in one's room: by the phone's own viewer. */

import type { ObjectView } from "../../api/types";

/** What of an object is needed to set it there. */
export type Placed = Pick<ObjectView, "name" | "files" | "draft"> &
  Partial<Pick<ObjectView, "options">>;

/** What shows a model in the room. */
export type RoomViewer = "quick-look" | "scene-viewer";

/** That of this device, or null where there is none that is known. */
export function roomViewer(
  agent: string = navigator.userAgent,
  link: HTMLAnchorElement = document.createElement("a"),
): RoomViewer | null {
  if (link.relList?.supports?.("ar")) return "quick-look";
  // Firefox on Android opens no intent by itself.
  if (/android/i.test(agent) && /chrome\//i.test(agent)) return "scene-viewer";
  return null;
}

/**
 * Where to go to see an object in the room; null where its file for that is missing.
 *
 * @param back The page to come back to where the viewer is not installed.
 */
export function roomLink(viewer: RoomViewer, object: Placed, back: string): string | null {
  const files = object.files ?? object.draft?.files;
  if (viewer === "quick-look") {
    // Of a size that somebody said; any other one may choose by two fingers.
    const fixed = object.options?.mesh.height ? "#allowsContentScaling=0" : "";
    return files?.usdz ? files.usdz.url + fixed : null;
  }
  const url = files?.glb?.url;
  // Scene Viewer fetches the file itself, and over https alone.
  if (!url?.startsWith("https:")) return null;
  const query = [
    `file=${encodeURIComponent(url)}`,
    "mode=ar_preferred",
    `title=${encodeURIComponent(object.name)}`,
    ...(object.options?.mesh.height ? ["resizable=false"] : []),
  ].join("&");
  return [
    `intent://arvr.google.com/scene-viewer/1.0?${query}#Intent`,
    "scheme=https",
    "package=com.google.android.googlequicksearchbox",
    "action=android.intent.action.VIEW",
    `S.browser_fallback_url=${encodeURIComponent(back)}`,
    "end;",
  ].join(";");
}
