/** A link is kept for this long, far below the hour for which it is signed. */
const KEPT_MS = 10 * 60 * 1000;

/**
 * Keeps signed links steady. Each answer of the API signs its links anew; a picture whose address
 * changes every two seconds would load every two seconds.
 */
export class Links {
  private readonly kept = new Map<string, { url: string; until: number }>();

  constructor(private readonly now: () => number = Date.now) {}

  /** The link under which this version of a file was first seen, while that is recent. */
  steady(url: string, version = ""): string {
    const file = `${version} ${fileOf(url)}`;
    const earlier = this.kept.get(file);
    if (earlier && earlier.until > this.now()) return earlier.url;
    this.kept.set(file, { url, until: this.now() + KEPT_MS });
    return url;
  }

  /** A copy of an answer with every `url` and `picture` in it steady. */
  steadyAll(value: unknown, around = ""): unknown {
    if (Array.isArray(value)) return value.map((item) => this.steadyAll(item, around));
    if (value === null || typeof value !== "object") return value;
    const version = versionOf(value) ?? around;
    return Object.fromEntries(
      Object.entries(value).map(([name, item]) => [
        name,
        (name === "url" || name === "picture") && typeof item === "string"
          ? this.steady(item, version)
          : this.steadyAll(item, version),
      ]),
    );
  }

  clear(): void {
    this.kept.clear();
  }
}

/** An object that is made anew writes the same files again; options and status tell them apart. */
function versionOf(value: object): string | null {
  if (!("status" in value) || !("seed" in value || "picture" in value)) return null;
  const made = "options" in value ? value.options : "seed" in value ? value.seed : "";
  return `${value.status} ${JSON.stringify(made)}`;
}

/** What a link leads to, however it is signed. */
export function fileOf(url: string): string {
  return url.split("?", 1)[0] ?? url;
}
