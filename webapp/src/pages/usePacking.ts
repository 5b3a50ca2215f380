import { useRef, useState } from "react";
import type { Wanted } from "../api/zip";
import { files as said } from "../texts/en/files";
import { texts } from "../texts/texts";
import { loaded } from "../ui/connection";
import { save } from "../ui/save";

/**
 * Packs files into a ZIP and saves it, one at a time: `pack` with the ZIP's name and what names its
 * files. `share` is how far it is, from 0 to 1, and null where nothing is packed.
 */
export function usePacking() {
  const [share, setShare] = useState<number | null>(null);
  const [error, setError] = useState<unknown>(null);
  const busy = useRef(false);

  async function pack(
    name: string,
    wanted: () => readonly Wanted[] | Promise<readonly Wanted[]>,
  ): Promise<void> {
    if (busy.current) return;
    busy.current = true;
    setError(null);
    setShare(0);
    try {
      const { zipped } = await loaded(texts(said).packer, () => import("../api/zip"));
      const files = await wanted();
      save(await zipped(files, (done, total) => setShare(Math.min(1, done / total))), name);
    } catch (failure) {
      setError(failure);
    } finally {
      busy.current = false;
      setShare(null);
    }
  }

  return { pack, share, error };
}
