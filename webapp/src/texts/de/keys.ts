import type { keys as english } from "../en/keys";
import type { Translated } from "../texts";
import { plural } from "./plural";

export const keys: Translated<typeof english> = {
  keys: "Schlüssel",
  newKey: "Neuer Schlüssel",
  about:
    "Ein Programm mit einem Schlüssel von dir macht Meshes wie du: Seine Aufträge sind deine, und ihre Kosten auch.",
  loading: "Deine Schlüssel laden",
  empty: "Noch keine Schlüssel",
  rights: {
    read: "Meine Aufträge sehen und ihre Dateien holen",
    create: "Aufträge anlegen, ändern und löschen",
  },
  jobsADay: (jobs) => plural(jobs, { one: "# Auftrag am Tag", other: "# Aufträge am Tag" }),
  made: (moment) => `angelegt: ${moment}`,
  used: (moment) => `benutzt: ${moment}`,
  neverUsed: "nie benutzt",
  withdraw: "Zurückziehen",
  withdrawOne: (key) => `${key} zurückziehen`,
  whatFor: "Wofür er ist",
  whatItMay: "Was er darf",
  limit: "Aufträge am Tag, höchstens (leer: so viele, wie du darfst)",
  make: "Schlüssel anlegen",
  theKey: (name) => `Der Schlüssel „${name}“`,
  keepIt:
    "Leg ihn dorthin, wo dein Programm seine Geheimnisse hat; wer ihn hat, handelt in deinem Namen.",
  key: "Schlüssel",
  askWithdraw: (key) => `„${key}“ zurückziehen?`,
  withdrawn:
    "Binnen einer Minute kommt damit kein Programm mehr herein, endgültig. Aufträge, die es angelegt hat, laufen weiter.",
};
