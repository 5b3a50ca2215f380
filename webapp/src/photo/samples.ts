/** The photos of `examples/`, bundled with the app. */
const FILES = import.meta.glob<string>("../../../examples/*.jpg", {
  query: "?url",
  import: "default",
  eager: true,
});

/** What is in them, for those who do not see them. */
const DESCRIPTIONS: Record<string, string> = {
  coffee: "A cup of espresso",
  chelsea: "A cat's face",
  rocket: "A rocket at its start",
};

export interface Sample {
  readonly name: string;
  readonly description: string;
  readonly url: string;
}

export const SAMPLES: readonly Sample[] = Object.entries(FILES).map(([path, url]) => {
  const name = path.slice(path.lastIndexOf("/") + 1, -".jpg".length);
  return { name, description: DESCRIPTIONS[name] ?? name, url };
});
