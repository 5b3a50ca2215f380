import { FileArchive } from "lucide-react";
import type { Wanted } from "../../api/zip";
import { files as said } from "../../texts/en/files";
import { useTexts } from "../../texts/texts";
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
  const t = useTexts(said);
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
        <FileArchive aria-hidden="true" /> {share === null ? t.downloadAll : t.packing}
        <span className="size">
          {t.zip(fileSize(files.reduce((sum, { bytes }) => sum + bytes, 0)))}
        </span>
      </button>
      {share !== null && <Progress label={t.packingZip} share={share} />}
      {error !== null && <ErrorNote error={error} />}
    </div>
  );
}
