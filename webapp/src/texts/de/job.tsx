import type { job as english } from "../en/job";
import type { Translated } from "../texts";
import { plural } from "./plural";

export const job: Translated<typeof english> = {
  job: "Auftrag",
  waiting: "dieser Auftrag",
  loading: "Der Auftrag lädt",
  none: "Diesen Auftrag gibt es nicht",
  unavailable: "Der Auftrag lässt sich nicht zeigen",
  toGallery: "Zur Galerie",
  result: "das Ergebnis",
  selectionTool: "das Auswahlwerkzeug",
  steps: "Schritte des Auftrags",
  step: {
    photo: "Foto",
    prepare: "Vorbereiten",
    select: "Auswählen",
    reconstruct: "Rekonstruieren",
    view: "Ansehen",
  },
  rename: "Auftrag umbenennen",
  name: "Name des Auftrags",
  saveName: "Namen speichern",
  cancel: "Auftrag abbrechen",
  askCancel: "Diesen Auftrag abbrechen?",
  cancelled:
    "Was gerade entsteht, wird angehalten. Das Foto und was es schon gibt, bleiben: Du kannst den Auftrag noch einmal versuchen oder in der Galerie löschen.",
  uploading: "Das Foto wird hochgeladen",
  checking: "Das Foto wird geprüft",
  upload: "Hochladen",
  waitingUpload: "das Hochladen deines Fotos",
  yours: "Deins",
  another: "Wähl ein anderes Foto",
  missing: "Das Foto fehlt",
  aboutMissing: (file) =>
    `„${file}“ wurde nie hochgeladen, und dieser Browser hat es nicht. Wähl es noch einmal.`,
  preparing: "Das Foto wird vorbereitet",
  preparingBar: "Vorbereitung",
  looking: "Das Modell sieht sich das Foto einmal an. Danach wird jeder Klick sofort beantwortet.",
  waking:
    "Das Modell wacht wohl gerade auf: Seine Maschine ist aus, solange niemand sie braucht, und eine zu starten dauert 5 bis 10 Minuten.",
  behind: "Das Modell ist noch bei dem, was vorher kam; deins ist danach dran.",
  long: "Das dauert länger als das Aufwachen. Der Auftrag versucht es von selbst weiter, und du bekommst eine Mail, wenn er scheitert.",
  elapsed: (time) => `Das sind jetzt ${time}.`,
  keepOpen:
    "Lass diese Seite offen oder komm in diesem Browser zurück: Deine Masken liegen hier und werden von hier geschickt, sobald das Foto vorbereitet ist.",
  leaveToSelect: (link) => (
    <>
      Du kannst diese Seite verlassen. Der Auftrag wartet in deiner {link("Galerie")} darauf, dass
      du das Objekt auswählst. Dauert das länger als eine Minute, ruft dich eine Mail zurück.
    </>
  ),
  before: (requests) =>
    requests === 0
      ? "Vor dir ist niemand dran."
      : plural(requests, {
          one: "# Anfrage ist vor deiner dran.",
          other: "# Anfragen sind vor deiner dran.",
        }),
  sending: (masks) =>
    plural(masks, { one: "Die Maske wird geschickt", other: "# Masken werden geschickt" }),
  masks: "Masken",
  waitingMasks: "das Senden deiner Masken",
  backToSelection: "Zurück zur Auswahl",
  reconstructing: (objects) =>
    plural(objects, {
      one: "Das Objekt wird rekonstruiert",
      other: "Die Objekte werden rekonstruiert",
    }),
  object: {
    PENDING: "Schritt 1 von 2: vom Foto zur Form",
    MESHING: "Schritt 2 von 2: von der Form zum Mesh",
    COMPLETED: "Fertig",
    FAILED: "Gescheitert",
  },
  phases: {
    condition: "Objekt einlesen",
    cutout: "Ausschneiden",
    depth: "Tiefe",
    gaussians: "Gauß-Splats",
    latents: "Merkmale",
    latentsCondition: "Merkmale einlesen",
    structure: "Grobe Form",
    structureCondition: "Objekt einlesen",
    voxels: "Voxel",
  },
  leave: (link) => (
    <>
      Du kannst diese Seite verlassen. Der Auftrag läuft in deiner {link("Galerie")} weiter, und
      eine Mail kommt, wenn er fertig ist.
    </>
  ),
  toldAdmin: (error) => `Die Verwaltung weiß Bescheid (${error}).`,
  toldAdminAll: "Die Verwaltung weiß Bescheid.",
  startAnewPerhaps: "Fang neu an, vielleicht mit einem anderen Foto.",
  kept: "Das Foto ist noch da: Versuch es noch einmal, dann geht es da weiter, wo es stehen blieb, oder fang mit einem anderen Foto neu an.",
  keptCancelled:
    "Das Foto ist noch da: Versuch es noch einmal, dann geht es da weiter, wo es stehen blieb, oder lösch den Auftrag in der Galerie.",
  masksKept:
    "Das Foto und die Masken sind noch da: Versuch es noch einmal, dann geht es da weiter, wo es stehen blieb, oder fang mit einem anderen Foto neu an.",
  masksKeptCancelled:
    "Das Foto und die Masken sind noch da: Versuch es noch einmal, dann geht es da weiter, wo es stehen blieb, oder lösch den Auftrag in der Galerie.",
  draftBelow: "Was du unten siehst, ist ein Entwurf.",
};
