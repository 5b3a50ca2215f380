/** Every text that a person reads, by the part of the page that says it. */

import type { ReactNode } from "react";
import type * as parts from "./en";
import { shownNow, useLanguage } from "./languages";

/** A text, or what makes one of what it names; those of one thing stand together. */
export interface Texts {
  readonly [key: string]: string | ((...named: never[]) => ReactNode) | Texts | undefined;
}

/** What a part of the page says, in English. It travels with that part. */
export interface Part<N extends string, T> {
  readonly name: N;
  readonly english: T;
}

/** What a part says, as another language has to say it too. */
export type Translated<P> = P extends Part<string, infer T> ? T : never;

/** All that the page says, in another language. */
export type Translation = {
  readonly [P in (typeof parts)[keyof typeof parts] as P["name"]]: Translated<P>;
};

/** Words in the midst of a sentence, in an element of their own: a link, say. */
export type Wrap = (words: string) => ReactNode;

export function english<N extends string, T extends Texts>(name: N, texts: T): Part<N, T> {
  return { name, english: texts };
}

/** What a part says in the page's language. In a component, `useTexts` follows the language. */
export function texts<N extends keyof Translation, T>(part: Part<N, T>): T {
  const translation = shownNow().translation as Record<string, unknown> | null;
  return (translation?.[part.name] as T | undefined) ?? part.english;
}

export function useTexts<N extends keyof Translation, T>(part: Part<N, T>): T {
  useLanguage();
  return texts(part);
}
