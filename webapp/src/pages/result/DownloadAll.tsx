import { FileArchive } from "lucide-react";
import { useRef, useState } from "react";
import type { Wanted } from "../../api/zip";
import { loaded } from "../../ui/connection";
import { ErrorNote } from "../../ui/ErrorNote";
import { fileSize } from "../../ui/format";
import { Progress } from "../../ui/Progress";
import { fileName, save } from "../../ui/save";

interface Props {
  /** Without an ending. */
  name: string;
  files: readonly Wanted[];
}

/** Every file as one ZIP. */
export function DownloadAll({ name, files }: Props) {
  const [share, setShare] = useState<number | null>(null);
  const [error, setError] = useState<unknown>(null);
  const busy = useRef(false);
  if (files.length < 2) return null;

  async function pack(): Promise<void> {
    if (busy.current) return;
    busy.current = true;
    setError(null);
    setShare(0);
    try {
      const { zipped } = await loaded("what packs a ZIP", () => import("../../api/zip"));
      const zip = await zipped(files, (done, total) => setShare(Math.min(1, done / total)));
      save(zip, `${fileName(name)}.zip`);
    } catch (failure) {
      setError(failure);
    } finally {
      busy.current = false;
      setShare(null);
    }
  }

  return (
    <div className="download-all">
      <button
        type="button"
        className="button"
        disabled={share !== null}
        onClick={() => void pack()}
      >
        <FileArchive aria-hidden="true" /> {share === null ? "Download all" : "Packing…"}
        <span className="size">
          ZIP, {fileSize(files.reduce((sum, { bytes }) => sum + bytes, 0))}
        </span>
      </button>
      {share !== null && <Progress label="Packing the ZIP" share={share} />}
      {error !== null && <ErrorNote error={error} />}
    </div>
  );
}
