import { Download } from "lucide-react";
import type { MeshFile, ObjectView } from "../../api/types";
import { fileSize } from "../../ui/format";

const FORMATS: readonly [MeshFile, string, string][] = [
  ["glb", "GLB", "for the web, Blender, game engines"],
  ["draco.glb", "GLB, small", "Draco, for readers that know it"],
  ["zip", "OBJ, ZIP", "with material and texture"],
  ["obj", "OBJ", "with vertex colours"],
  ["stl", "STL", "for 3D printing"],
  ["ply", "PLY", "with vertex colours"],
];

/** The files of an object; the links carry the names under which they are saved. */
export function Downloads({ object }: { object: ObjectView }) {
  const { files, splat } = object;
  return (
    <ul className="downloads" aria-label="Downloads">
      {FORMATS.map(([ending, name, use]) => {
        const file = files?.[ending];
        return file && <Row key={ending} name={name} use={use} url={file.url} bytes={file.bytes} />;
      })}
      {splat && <Row name="Splat" use="the gaussians, PLY" url={splat.url} bytes={splat.bytes} />}
    </ul>
  );
}

function Row({ name, use, url, bytes }: { name: string; use: string; url: string; bytes: number }) {
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
