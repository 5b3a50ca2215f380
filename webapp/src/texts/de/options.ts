import type { options as english } from "../en/options";
import type { Translated } from "../texts";

export const options: Translated<typeof english> = {
  options: "Einstellungen",
  seconds: (time) => `Etwa ${time} je Objekt, sobald es anfängt.`,
  byItself: "automatisch",
  titles: {
    "engine quality": "Qualität der Rekonstruktion",
    "engine seed": "Seed",
    "engine seeds": "Seeds zum Vergleich",
    "mesh quality": "Qualität des Meshs",
    "mesh faces": "Flächen, höchstens",
    "mesh texture": "Textur, Pixel je Seite",
    "mesh height": "Höhe, mm",
  },
  values: { fast: "schnell", standard: "normal", fine: "fein" },
};
