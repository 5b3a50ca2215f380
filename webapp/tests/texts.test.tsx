// @vitest-environment happy-dom
import { act } from "react";
import { createRoot } from "react-dom/client";
import { afterEach, describe, expect, it, vi } from "vitest";
import { ApiError, offline } from "../src/api/error";
import german from "../src/texts/de";
import { app } from "../src/texts/en/app";
import { units } from "../src/texts/en/units";
import { chooseLanguage, startLanguage } from "../src/texts/languages";
import { sentenceFor, sentenceOf } from "../src/texts/sentence";
import { texts, useTexts } from "../src/texts/texts";
import { count, duration, metres } from "../src/ui/format";

Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });

function prefer(...languages: string[]): void {
  vi.spyOn(navigator, "languages", "get").mockReturnValue(languages);
}

afterEach(async () => {
  await chooseLanguage("en");
  localStorage.clear();
  vi.restoreAllMocks();
});

describe("the language", () => {
  it.each([
    [["fr-FR", "de-AT", "en"], "de"],
    [["en-GB", "de"], "en"],
    [["fr", "ja"], "en"],
    [[], "en"],
  ])("of a browser that prefers %j is %s", async (languages, language) => {
    prefer(...languages);
    await startLanguage();
    expect(document.documentElement.lang || "en").toBe(language);
  });

  it("is the one that was chosen, at the next visit too", async () => {
    prefer("en");
    await chooseLanguage("de");
    expect(localStorage.getItem("language")).toBe("de");
    prefer("en-US");
    await startLanguage();
    expect(texts(app).start).toBe(german.app.start);
  });

  it("is followed by what is on the screen", async () => {
    const place = document.createElement("div");
    const root = createRoot(place);
    const Skip = () => useTexts(app).skip;
    act(() => root.render(<Skip />));
    expect(place.textContent).toBe(app.english.skip);
    await act(() => chooseLanguage("de"));
    expect(place.textContent).toBe(german.app.skip);
    act(() => root.unmount());
  });

  it("has its own numbers, times and plurals", async () => {
    prefer("de-DE");
    await startLanguage();
    expect(count(1234567)).toBe("1.234.567");
    expect(duration(9_940)).toBe("9,9 s");
    expect(metres(1.5)).toBe("1,50 m");
    expect([texts(units).days(1), texts(units).days(1200)]).toEqual(["1 Tag", "1.200 Tage"]);
  });
});

describe("a failure", () => {
  it("is told in the API's words, or by its name in another language", async () => {
    const conflict = new ApiError("JobConflict", "The job is being made.", 409);
    expect(sentenceOf(conflict)).toBe("The job is being made.");
    expect(sentenceOf(null)).toBe("Something went wrong. Try again.");
    await chooseLanguage("de");
    expect(sentenceOf(conflict)).toBe(german.errors.named.JobConflict);
    expect(sentenceOf(offline())).toContain("nicht zu erreichen");
    expect(sentenceFor({ error: "OfTomorrow", message: "Wait." })).toBe("Wait.");
  });
});
