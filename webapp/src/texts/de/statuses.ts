import type { statuses as english } from "../en/statuses";
import type { Translated } from "../texts";

export const statuses: Translated<typeof english> = {
  CREATED: { card: "Noch nicht hochgeladen", news: "Lädt hoch" },
  INITIALIZING: { card: "Wird vorbereitet", news: "Wird vorbereitet" },
  AWAITING_MASK: { card: "Objekt auswählen", news: "Bereit zum Auswählen" },
  RECONSTRUCTING: { card: "Wird rekonstruiert", news: "Wird rekonstruiert" },
  COMPLETED: { card: "Fertig", news: "Fertig" },
  FAILED: { card: "Gescheitert", news: "Gescheitert", title: "Dieser Auftrag ist gescheitert" },
  CANCELLED: {
    card: "Abgebrochen",
    news: "Abgebrochen",
    title: "Dieser Auftrag wurde abgebrochen",
    why: "Er wurde angehalten, bevor er fertig war.",
  },
  EXPIRED: {
    card: "Abgelaufen",
    news: "Abgelaufen",
    title: "Dieser Auftrag ist abgelaufen",
    why: "Niemand hat rechtzeitig ein Objekt ausgewählt.",
  },
};
