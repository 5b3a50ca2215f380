import { useSyncExternalStore } from "react";
import { errors } from "../texts/en/errors";
import { useTexts } from "../texts/texts";
import { ErrorNote } from "./ErrorNote";
import { Reload } from "./Reload";

let newer = false;
const listeners = new Set<() => void>();

/** Ask, whenever a part of the app cannot be loaded, whether it went with an earlier version. */
export function watchVersion(): void {
  window.addEventListener("vite:preloadError", () => void look());
}

/** The build names its script by its content, so another name is another version. */
async function look(): Promise<void> {
  const script = document.querySelector("script[type=module][src]")?.getAttribute("src");
  const page = await fetch("/", { cache: "no-cache" }).catch(() => null);
  // Without a connection nothing loads, and that says nothing about versions.
  if (!script || !page?.ok || (await page.text().catch(() => script)).includes(script)) return;
  newer = true;
  for (const listener of listeners) listener();
}

/** Whether this page is of an earlier version. */
export function useNewer(): boolean {
  const now = () => newer;
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    now,
    now,
  );
}

/** Says that this page is of an earlier version; when to reload it is the person's choice. */
export function NewVersion() {
  const t = useTexts(errors);
  if (!useNewer()) return null;
  return (
    <div className="new-version">
      <ErrorNote error={new Error(t.newer)}>
        <Reload />
      </ErrorNote>
    </div>
  );
}
