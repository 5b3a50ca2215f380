/** The models of `examples/models/` with their pictures; webapp/scripts/examples.py makes them. */

const MODELS = import.meta.glob<string>("../../../../examples/models/*.glb", {
  query: "?url",
  import: "default",
  eager: true,
});
const PICTURES = import.meta.glob<string>("../../../../examples/models/*.webp", {
  query: "?url",
  import: "default",
  eager: true,
});

export interface Shown {
  readonly name: string;
  readonly url: string;
  readonly picture: string | undefined;
}

export const EXAMPLES: readonly Shown[] = Object.entries(MODELS).map(([path, url]) => ({
  name: path.slice(path.lastIndexOf("/") + 1, -".glb".length),
  url,
  picture: PICTURES[path.replace(/\.glb$/, ".webp")],
}));
