import type { app as english } from "../en/app";
import type { Translated } from "../texts";

export const app: Translated<typeof english> = {
  skip: "Zum Inhalt springen",
  start: "Gen3D, Startseite",
  main: "Hauptmenü",
  new: "Neu",
  lightColours: "Helle Farben",
  darkColours: "Dunkle Farben",
  language: "Sprache",
  keys: "Schlüssel für Programme",
  signOut: "Abmelden",
  signIn: "Anmelden",
  whyGallery: "Die Galerie zeigt deine eigenen Aufträge.",
  whyJob: "Melde dich mit dem Konto an, dem dieser Auftrag gehört.",
  whyKeys: "Mit Schlüsseln handeln Programme in deinem Namen.",
  whyWebhooks: "Webhooks sagen von deinen eigenen Aufträgen.",
  forPrograms: "Für Programme",
  forProgramsPages: { keys: "Schlüssel", webhooks: "Webhooks", api: "Die API" },
  whySignIn: "Deine Fotos und Modelle gehören nur dir.",
  nothingHere: "Hier ist nichts",
  noPage: "Diese Seite gibt es nicht. Deine Aufträge findest du in der Galerie.",
  parts: {
    gallery: "die Galerie",
    job: "der Auftrag",
    keys: "deine Schlüssel",
    reference: "die Beschreibung der API",
    shared: "das geteilte Modell",
    webhooks: "deine Webhooks",
    signIn: "das Anmeldeformular",
  },
  lost: "Der Server ist nicht zu erreichen.",
  nothingLost: "Nichts, was du getan hast, ist verloren.",
  goesOn: (what) =>
    `Nichts, was du getan hast, ist verloren. Sobald er wieder da ist, geht es von selbst weiter: ${what}.`,
  tryNow: "Jetzt versuchen",
};
