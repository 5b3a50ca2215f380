import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { describe, expect, it } from "vitest";

const SOURCES = resolve("src");
const OWN = (file: string) => /\.tsx?$|\.css$/.test(file);

const sources = readdirSync(SOURCES, { recursive: true, encoding: "utf-8" })
  .filter(OWN)
  .map((file) => join(SOURCES, file));
const text = new Map(sources.map((file) => [file, readFileSync(file, "utf-8")]));

function fileOf(from: string, name: string): string | undefined {
  const path = resolve(dirname(from), name.replace(/\.js$/, ""));
  return ["", ".ts", ".tsx", "/index.ts"].map((end) => path + end).find((file) => text.has(file));
}

/** What a file loads before it is drawn, itself too; what is no component draws nothing. */
function loads(file: string, found = new Set<string>()): Set<string> {
  if (found.has(file)) return found;
  found.add(file);
  const said = text.get(file) ?? "";
  for (const [, name = ""] of said.matchAll(/(?:from|^import) "(\.[^"]+)"/gm)) {
    const other = fileOf(file, name);
    if (other && !(file.endsWith(".ts") && other.endsWith(".tsx"))) loads(other, found);
  }
  return found;
}

function styled(files: Iterable<string>): Set<string> {
  const css = [...files].filter((file) => file.endsWith(".css"));
  const names = css.flatMap((file) => [...(text.get(file) ?? "").matchAll(/\.([a-z][\w-]*)/g)]);
  return new Set(names.map(([, name = ""]) => name));
}

describe("a page that is opened by its address", () => {
  const everywhere = styled(sources);
  const first = loads(join(SOURCES, "main.tsx"));
  const app = join(SOURCES, "App.tsx");
  const pages = [...(text.get(app) ?? "").matchAll(/import\("(\.[^"]+)"\)/g)].flatMap(
    ([, name = ""]) => fileOf(app, name) ?? [],
  );

  it("is found", () => {
    expect(pages.length).toBeGreaterThan(4);
  });

  it.each(pages.map((page) => [page.slice(SOURCES.length + 1), page]))(
    "brings the styles of %s along, whichever page came before",
    (_, page) => {
      const brought = loads(page);
      const there = styled([...first, ...brought]);
      const used = [...brought].flatMap((file) =>
        [...(text.get(file) ?? "").matchAll(/className="([^"]+)"/g)].flatMap(([, names = ""]) =>
          names.split(" "),
        ),
      );
      expect(used.filter((name) => everywhere.has(name) && !there.has(name))).toEqual([]);
    },
  );
});
