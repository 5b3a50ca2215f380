import type { share as english } from "../en/share";
import type { Translated } from "../texts";

export const share: Translated<typeof english> = {
  share: "Teilen",
  shareOne: (object) => `„${object}“ teilen`,
  about:
    "Wer einen Link hat, kann das Modell ohne Konto ansehen und herunterladen. Das Foto und alles andere bleiben deins.",
  howLong: "Wie lange",
  days: { 1: "1 Tag", 7: "1 Woche", 30: "1 Monat" },
  newLink: "Neuer Link",
  loading: "Deine Links laden",
  links: "Links",
  link: "Link",
  ends: (moment) => `Endet: ${moment}`,
  send: "Senden",
  embed: "Code zum Einbetten kopieren",
  embedCopied: "Code kopiert",
  embedByHand: "Der Code für deine Seite ließ sich nicht kopieren. Kopiere ihn von Hand:",
  withdraw: "Zurückziehen",
  withdrawOne: (moment) => `Den Link zurückziehen, der so endet: ${moment}`,
};
