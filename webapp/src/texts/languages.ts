/** The page's language: what the person chose, or else what the browser prefers of what there is. */

import { useSyncExternalStore } from "react";
import { note, noted } from "../kept/notes";
import type { Translation } from "./texts";

/** What there is, each in its own words. */
export const LANGUAGES = { en: "English", de: "Deutsch" } as const;

export type Language = keyof typeof LANGUAGES;

/** English comes with the page; each of the others is loaded when somebody reads it. */
const TRANSLATIONS: Record<
  Exclude<Language, "en">,
  () => Promise<{ readonly default: Translation }>
> = {
  de: () => import("./de"),
};

const KEY = "language";

interface Shown {
  readonly language: Language;
  /** Null for English. */
  readonly translation: Translation | null;
}

let shown: Shown = { language: "en", translation: null };
const listeners = new Set<() => void>();

/** What is shown now, outside a component. */
export function shownNow(): Shown {
  return shown;
}

export function useLanguage(): Language {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => shown,
    () => shown,
  ).language;
}

/** The browser's word for the language, with the country whose dates and numbers the person reads. */
export function locale(): string {
  const { language } = shown;
  return preferences().find((tag) => languageOf(tag) === language) ?? language;
}

/**
 * Show the page in the language that the person wants, before it is first drawn.
 *
 * @throws What the loading of the language's texts threw; the page is in English then.
 */
export function startLanguage(): Promise<void> {
  const wanted = [noted("localStorage", KEY) ?? "", ...preferences()].map(languageOf);
  return show(wanted.find((language) => language !== null) ?? "en");
}

/**
 * Show the page in another language from now on.
 *
 * @throws What the loading of the language's texts threw; nothing has changed then.
 */
export async function chooseLanguage(language: Language): Promise<void> {
  await show(language);
  note("localStorage", KEY, language);
}

async function show(language: Language): Promise<void> {
  if (language === shown.language) return;
  const translation = language === "en" ? null : (await TRANSLATIONS[language]()).default;
  shown = { language, translation };
  document.documentElement.lang = language;
  for (const listener of listeners) listener();
}

function preferences(): readonly string[] {
  return globalThis.navigator?.languages ?? [];
}

function languageOf(tag: string): Language | null {
  const language = tag.split("-")[0]?.toLowerCase() ?? "";
  return Object.hasOwn(LANGUAGES, language) ? (language as Language) : null;
}
