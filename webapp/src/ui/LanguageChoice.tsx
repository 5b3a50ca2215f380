import { Languages } from "lucide-react";
import { useState } from "react";
import { app } from "../texts/en/app";
import { chooseLanguage, LANGUAGES, type Language, useLanguage } from "../texts/languages";
import { useTexts } from "../texts/texts";
import { loaded } from "./connection";

/** The page's language, to be chosen; a language's own name stands for it. */
export function LanguageChoice() {
  const t = useTexts(app);
  const language = useLanguage();
  const [wanted, setWanted] = useState<Language | null>(null);

  async function choose(chosen: Language): Promise<void> {
    setWanted(chosen);
    try {
      await loaded(LANGUAGES[chosen], () => chooseLanguage(chosen));
    } finally {
      setWanted(null);
    }
  }

  return (
    <span className="icon-button language" title={t.language}>
      <Languages aria-hidden="true" />
      <select
        aria-label={t.language}
        value={wanted ?? language}
        onChange={({ target }) => void choose(target.value as Language)}
      >
        {Object.entries(LANGUAGES).map(([value, name]) => (
          <option key={value} value={value} lang={value}>
            {name}
          </option>
        ))}
      </select>
    </span>
  );
}
