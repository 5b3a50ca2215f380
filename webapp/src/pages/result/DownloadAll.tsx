import { FileArchive } from "lucide-react";
import type { Wanted } from "../../api/zip";
import { ErrorNote } from "../../ui/ErrorNote";
import { fileSize } from "../../ui/format";
import { Progress } from "../../ui/Progress";
import { fileName } from "../../ui/save";
import { usePacking } from "../usePacking";

interface Props {
  /** Without an ending. */
  name: string;
  files: readonly Wanted[];
}

/** Every file as one ZIP. */
export function DownloadAll({ name, files }: Props) {
  const { pack, share, error } = usePacking();
  if (files.length < 2) return null;

  return (
    <div className="download-all">
      <button
        type="button"
        className="button"
        disabled={share !== null}
        onClick={() => void pack(`${fileName(name)}.zip`, () => files)}
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
