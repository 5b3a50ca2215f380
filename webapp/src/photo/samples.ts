/** The photos of `examples/`, bundled with the app. */
const FILES = import.meta.glob<string>("../../../examples/*.jpg", {
  query: "?url",
  import: "default",
  eager: true,
});

export interface Sample {
  readonly name: string;
  readonly url: string;
}

export const SAMPLES: readonly Sample[] = Object.entries(FILES).map(([path, url]) => {
  const name = path.slice(path.lastIndexOf("/") + 1, -".jpg".length);
  return { name, url };
});
