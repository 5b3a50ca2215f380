import type { common as english } from "../en/common";
import type { Translated } from "../texts";

export const common: Translated<typeof english> = {
  tryAgain: "Noch einmal versuchen",
  starting: "Startet …",
  reload: "Neu laden",
  close: "Schließen",
  keepIt: "Behalten",
  cancel: "Abbrechen",
  loading: "Lädt",
  delete: "Löschen",
  rename: "Umbenennen",
  gallery: "Galerie",
  startAnew: "Neu anfangen",
  draft: "Entwurf",
  shownOnce: "Das ist nur dieses eine Mal zu sehen.",
  kept: "Ich habe es gesichert",
};
