import type { reference as english } from "../en/reference";
import type { Translated } from "../texts";
import { plural } from "./plural";

export const reference: Translated<typeof english> = {
  title: "API",
  loading: "Die Beschreibung der API lädt",
  requests: "Anfragen",
  models: "Modelle",
  version: (version) => `Die API, Version ${version}`,
  about: (link) => (
    <>
      Diese Seite zeigt {link("openapi.json")}, ein Dokument nach OpenAPI 3.1, aus dem Generatoren
      Clients machen. Es ist auf Englisch.
    </>
  ),
  unreadable: "Die Beschreibung der API lässt sich nicht lesen. Versuch es gleich noch einmal.",
  open: "Dafür muss niemand angemeldet sein.",
  persons: "Ein Mensch muss angemeldet sein; kein Schlüssel darf das.",
  byCurl: (request) => `${request} mit curl`,
  takes: "Nimmt",
  answers: "Antwortet",
  request: (request) => `${request}, Anfrage`,
  example: "Beispiel",
  exampleOf: (what) => `${what}, Beispiel`,
  or: "oder",
  anything: "alles",
  listOf: "Liste von",
  byName: "nach Namen:",
  numbers: (n) => plural(n, { one: "# Zahl", other: "# Zahlen" }),
  orMore: (n) => `${n} oder mehr`,
  orFewer: (n) => `${n} oder weniger`,
  within: (least, most) => `${least} bis ${most}`,
  letters: (n) => `${n} Zeichen`,
  absent: "darf fehlen",
  deprecated: "veraltet",
};
