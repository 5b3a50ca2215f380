import { Download } from "lucide-react";
import { MESH_FORMATS, SPLAT_FORMATS } from "../../api/domain";
import type { ObjectView } from "../../api/types";
import { files as said } from "../../texts/en/files";
import { useTexts } from "../../texts/texts";
import { fileSize } from "../../ui/format";

/** What of an object there is to be taken away. */
export type Taken = Pick<ObjectView, "name" | "files" | "draft" | "splat" | "engineMesh">;

/** The files of an object; the links carry the names under which they are saved. */
export function Downloads({ object }: { object: Taken }) {
  const t = useTexts(said);
  const { draft, splat, engineMesh } = object;
  const files = object.files ?? draft?.files;
  const named = (label: string) => (draft ? t.ofDraft(label) : label);
  return (
    <ul className="downloads" aria-label={draft ? t.draftDownloads : t.downloads}>
      {MESH_FORMATS.map(({ ending, label, use }) => {
        const file = files?.[ending];
        return (
          file && (
            <Row
              key={ending}
              name={named(t.labels[ending] ?? label)}
              use={t.uses[ending] ?? use}
              url={file.url}
              bytes={file.bytes}
            />
          )
        );
      })}
      {splat && <Row name={t.splat} use={t.splatUse} url={splat.url} bytes={splat.bytes} />}
      {SPLAT_FORMATS.map(({ ending, label, use }) => {
        const file = files?.[ending];
        return (
          file && (
            <Row
              key={ending}
              name={named(t.labels[ending] ?? label)}
              use={t.uses[ending] ?? use}
              url={file.url}
              bytes={file.bytes}
            />
          )
        );
      })}
      {engineMesh && (
        <Row
          name={t.engineMesh}
          use={t.engineMeshUse}
          url={engineMesh.url}
          bytes={engineMesh.bytes}
        />
      )}
    </ul>
  );
}

export function Row({
  name,
  use,
  url,
  bytes,
}: {
  name: string;
  use: string;
  url: string;
  bytes: number;
}) {
  return (
    <li>
      <a href={url} download>
        <Download aria-hidden="true" />
        <strong>{name}</strong>
        <span className="muted">{use}</span>
        <span className="size">{fileSize(bytes)}</span>
      </a>
    </li>
  );
}
