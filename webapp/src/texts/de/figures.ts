import type { figures as english } from "../en/figures";
import type { Translated } from "../texts";

export const figures: Translated<typeof english> = {
  figures: "Zahlen",
  gaussians: "Gauß-Splats",
  engineFaces: "Flächen des Meshs der Engine",
  vertices: "Ecken",
  faces: "Flächen",
  draftFaces: "Flächen des Entwurfs",
  closed: "Geschlossene Oberfläche",
  yes: "ja",
  no: "nein",
  engineCoverage: "Abdeckung des Meshs der Engine",
  splatCoverage: "Abdeckung des Splats",
  depth: "Tiefenkarte",
  unread: "liest diese Engine nicht",
  height: "Höhe",
  outline: "Umriss wie im Foto",
  colours: "Farben wie im Foto",
  toSplat: "Vom Foto zum Splat",
  toEngineMesh: "Vom Foto zum Mesh der Engine",
  fromEngineMesh: "Vom Mesh der Engine zu diesem",
  fromSplat: "Vom Splat zum Mesh",
  last: "Letzte Rekonstruktion",
  whole: "Ganze Rekonstruktion",
  engine: "Engine",
};
