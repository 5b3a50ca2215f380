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
for (const level of [0, 1]) {
  const splats = GaussianSplats3D.PlyParser.parseToUncompressedSplatArray(data, 0);
  const generator = GaussianSplats3D.SplatBufferGenerator.getStandardGenerator(0, level);
  const buffer = generator.generateFromUncompressedSplatArray(splats);
  writeFileSync(`${out}/level${level}.ksplat`, Buffer.from(buffer.bufferData));
}
