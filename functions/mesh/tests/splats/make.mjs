// Writes source.ply, which make.sh has made, in the formats that have no tool for the command line.
import { createReadStream, readFileSync, writeFileSync } from "node:fs";
import { Readable } from "node:stream";
import * as GaussianSplats3D from "@mkkellogg/gaussian-splats-3d";
import { loadPly, serializeSpz } from "spz-js";

const source = process.argv[2];
const out = process.argv[3];

const spz = await serializeSpz(await loadPly(Readable.toWeb(createReadStream(source))));
writeFileSync(`${out}/v2.spz`, Buffer.from(spz));

const file = readFileSync(source);
const data = file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength);
for (const [name, level, degree] of [
  ["level0", 0, 0],
  ["level1", 1, 0],
  ["level1.harmonics", 1, 1],
  ["level2.harmonics", 2, 1],
]) {
  const splats = GaussianSplats3D.PlyParser.parseToUncompressedSplatArray(data, degree);
  // The others in sections of 100, whose gaussians lie in many blocks, as those of real size do.
  const generator = GaussianSplats3D.SplatBufferGenerator.getStandardGenerator(
    0,
    level,
    ...(degree === 0 ? [] : [100, undefined, 0.2, 16]),
  );
  const buffer = generator.generateFromUncompressedSplatArray(splats);
  writeFileSync(`${out}/${name}.ksplat`, Buffer.from(buffer.bufferData));
}
