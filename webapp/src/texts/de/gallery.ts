import type { gallery as english } from "../en/gallery";
import type { Translated } from "../texts";
import { plural } from "./plural";

export const gallery: Translated<typeof english> = {
  gallery: "Galerie",
  newJob: "Neuer Auftrag",
  waiting: "deine Galerie",
  loading: "Deine Aufträge laden",
  search: "Suchen",
  order: "Reihenfolge",
  orders: {
    newest: "Neueste zuerst",
    oldest: "Älteste zuerst",
    name: "Nach Namen",
    status: "Nach Stand",
  },
  select: "Auswählen",
  selectOne: (job) => `${job} auswählen`,
  noneFound: "So heißt kein Auftrag. Such nach einem Teil des Namens.",
  more: "Mehr zeigen",
  empty: "Noch keine Aufträge",
  aboutEmpty: "Jedes Foto, mit dem du anfängst, liegt hier, bei dem Schritt, bei dem du warst.",
  begin: "Mit einem Foto anfangen",
  rename: (job) => `${job} umbenennen`,
  delete: (job) => `${job} löschen`,
  renameJob: "Auftrag umbenennen",
  name: "Name",
  keepName: "Name behalten",
  askDelete: (job) => `„${job}“ löschen?`,
  deleted: "Foto, Masken und Modelle werden endgültig entfernt.",
  selectedJobs: "Ausgewählte Aufträge",
  selected: (jobs) => plural(jobs, { one: "# ausgewählt", other: "# ausgewählt" }),
  none: "Keinen",
  all: "Alle hier",
  download: "Herunterladen",
  done: "Fertig",
  askDeleteSeveral: (jobs) =>
    plural(jobs, { one: "Diesen Auftrag löschen?", other: "# Aufträge löschen?" }),
  severalDeleted: "Ihre Fotos, Masken und Modelle werden endgültig entfernt.",
  noModels: "Von diesen hat noch keiner ein Modell. Wähl einen, der eins hat.",
};
