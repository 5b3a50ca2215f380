/** What is chosen for an object, as the API carries it: whole, by names that the domain gives. */

import { OPTIONS } from "./domain.js";
import type { OffersView, OptionsView } from "./types.js";

/** Who uses an option. */
export type OptionPart = keyof OptionsView;

export type OptionValue = OptionsView[OptionPart][string];

/** A request with options as they are chosen here: by names that the API gave, known or not. */
export type Chosen<T> = Omit<T, "options"> & { options?: OptionsView };

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
export const DEFAULTS: OptionsView = { engine: startOf("engine"), mesh: startOf("mesh") };

function startOf(part: OptionPart): Record<string, OptionValue> {
  return Object.fromEntries(
    KNOWN.filter((option) => option.part === part).map(({ name, start }) => [name, start]),
  );
}

export function choose(
  options: OptionsView,
  { part, name }: Option,
  value: OptionValue,
): OptionsView {
  return { ...options, [part]: { ...options[part], [name]: value } };
}

export function withSeed(options: OptionsView, seed: number): OptionsView {
  return { ...options, engine: { ...options.engine, seed } };
}

/** How many seeds are tried. */
export function seedsOf(options: OptionsView): number {
  return Number(options.engine.seeds ?? 1);
}

/** The options that have a value; what is made is of one seed. */
export function withValues(options: OptionsView): [Option, string | number][] {
  return KNOWN.flatMap((option): [Option, string | number][] => {
    const value = options[option.part][option.name];
    return value == null || option.name === "seeds" ? [] : [[option, value]];
  });
}

/** About how many seconds an object takes, where all that it passes say it of what was chosen. */
export function secondsOf(offers: OffersView, options: OptionsView): number | null {
  const parts = Object.entries(offers) as [OptionPart, OffersView[OptionPart]][];
  const timed = parts.map(([part, offer]) =>
    Object.entries(offer)
      .map(([name, offered]) =>
        "seconds" in offered ? offered.seconds[String(options[part][name])] : undefined,
      )
      .find((seconds) => seconds !== undefined),
  );
  const seeds = seedsOf(options);
  return timed.reduce<number | null>(
    (sum, seconds) => (sum === null || seconds === undefined ? null : sum + seeds * seconds),
    0,
  );
}
