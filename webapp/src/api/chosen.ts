/** What is chosen for an object, as the API carries it: whole, by names that the domain gives. */

import { OPTIONS } from "./domain";
import type { Offers, OptionPart, Options, OptionValue } from "./types";

/** An option as people meet it. */
export interface Option {
  readonly part: OptionPart;
  readonly name: string;
  readonly title: string;
  readonly start: OptionValue;
}

/** Each option that this page knows, in the order in which they are shown. */
export const KNOWN: readonly Option[] = (Object.keys(OPTIONS) as OptionPart[]).flatMap((part) =>
  Object.entries(OPTIONS[part]).map(([name, option]) => ({
    part,
    name,
    title: option.title,
    start: option.default,
  })),
);

/** What an object is made with where nobody chooses. */
export const DEFAULTS: Options = { engine: startOf("engine"), mesh: startOf("mesh") };

function startOf(part: OptionPart): Record<string, OptionValue> {
  return Object.fromEntries(
    KNOWN.filter((option) => option.part === part).map(({ name, start }) => [name, start]),
  );
}

export function choose(options: Options, { part, name }: Option, value: OptionValue): Options {
  return { ...options, [part]: { ...options[part], [name]: value } };
}

export function withSeed(options: Options, seed: number): Options {
  return { ...options, engine: { ...options.engine, seed } };
}

/** How many seeds are tried. */
export function seedsOf(options: Options): number {
  return Number(options.engine.seeds ?? 1);
}

/** The options that have a value, by the words that people read; what is made is of one seed. */
export function titled(options: Options): [string, string | number][] {
  return KNOWN.flatMap(({ part, name, title }): [string, string | number][] => {
    const value = options[part][name];
    return value == null || name === "seeds" ? [] : [[title, value]];
  });
}

/** About how many seconds an object takes, where all that it passes say it of what was chosen. */
export function secondsOf(offers: Offers, options: Options): number | null {
  const parts = Object.entries(offers) as [OptionPart, Offers[OptionPart]][];
  const timed = parts.map(([part, offer]) =>
    Object.entries(offer)
      .map(([name, offered]) => offered.seconds?.[String(options[part][name])])
      .find((seconds) => seconds !== undefined),
  );
  const seeds = seedsOf(options);
  return timed.reduce<number | null>(
    (sum, seconds) => (sum === null || seconds === undefined ? null : sum + seeds * seconds),
    0,
  );
}
