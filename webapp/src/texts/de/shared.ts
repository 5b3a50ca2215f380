import type { shared as english } from "../en/shared";
import type { Translated } from "../texts";

export const shared: Translated<typeof english> = {
  shared: "Geteiltes Modell",
  waiting: "das geteilte Modell",
  nothing: "Hinter diesem Link ist nichts",
  aboutNothing:
    "Er ist abgelaufen, zurückgezogen oder unvollständig. Bitte den, der ihn geschickt hat, um einen neuen.",
  makeYourOwn: "Mach selbst eins",
  loading: "Das geteilte Modell lädt",
  madeAnew: "Es wird gerade neu gemacht. Komm in einer Weile wieder.",
  ends: (moment) => `Der Link, der hierher führte, endet: ${moment}.`,
};
