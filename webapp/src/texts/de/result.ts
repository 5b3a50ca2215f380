import type { result as english } from "../en/result";
import type { Translated } from "../texts";
import { plural } from "./plural";

export const result: Translated<typeof english> = {
  noObjects: "Dieser Auftrag hat keine Objekte. Fang einen neuen an.",
  object: "Objekt",
  objectNumber: (n) => `Objekt ${n}`,
  together: "Alle zusammen",
  showPhoto: "Foto zeigen",
  notMade: (object) => `„${object}“ wurde nicht gemacht.`,
  quoted: (object) => `„${object}“`,
  making: (objects) => `${objects}: in Arbeit. Was es schon gibt, bleibt so lange zu sehen.`,
  makingDrafted: (objects) =>
    `${objects}: in Arbeit. So lange ist ein Entwurf zu sehen. Du kannst diese Seite verlassen: Ist es fertig, kommt eine Mail.`,
  failed: (objects) => `${objects}: Das ist nicht gelungen.`,
  photo: "Das Foto",
  highlighted: (object) => `Das Foto, darin ${object} hervorgehoben`,
  room: "In deinem Zimmer ansehen",
  again: "Noch einmal machen",
  askAgain: (object) => `„${object}“ noch einmal machen?`,
  drawsAnew: "Was es nicht sieht, denkt sich das Modell mit einem anderen Seed neu aus.",
  truestKept:
    "Behalten wird, was dem Foto am nächsten kommt: von den neuen und, wenn nur der Seed neu ist, auch von diesem; du kannst ein anderes wählen.",
  takesPlace:
    "Das neue kommt an die Stelle von diesem: Lade dieses vorher herunter, wenn du es behalten willst.",
  takesPlaces:
    "Das neue kommt an die Stelle von allem, was die Seeds gemacht haben: Lade dieses vorher herunter, wenn du es behalten willst.",
  itsSeed: (seed) =>
    `Sein Seed war ${seed}. Mit demselben und einem anderen Mesh wird nur das Mesh neu gemacht.`,
  noSeeds:
    "Mehrere auf einmal gibt es hier nicht: Mit dieser Engine kämen sie gleich heraus, oder es ließe sich nicht sagen, welches dem Foto am nächsten kommt.",
  eachSeed: "Jeder Seed dauert so lange und kostet so viel wie ein Objekt.",
  keepThis: "Dieses behalten",
  leaveIt: "Lassen",
  seeds: (object) => `Seeds von ${object}`,
  bySeed: (object, seed) => `${object} mit Seed ${seed}`,
  seed: (seed) => `Seed ${seed}`,
  kept: "Behalten",
  keep: "Dieses nehmen",
  keepSeed: (seed) => `Stattdessen Seed ${seed} nehmen`,
  onItsWay: "Unterwegs",
  seedNotMade: "Nicht gemacht",
  incomparable: "Mit dem Foto nicht vergleichbar",
  asInPhoto: (share) => `${share} wie im Foto`,
  setIntoPhoto: "Ins Foto setzen",
  scene: "Alle Objekte zusammen",
  aboutScene: "Zu allen Objekten zusammen",
  sceneFailed: (why) => `Die Objekte ließen sich nicht nebeneinanderstellen. ${why}`,
  heightOf: (object) => `Höhe von ${object}`,
  sceneDownloads: "Alle Objekte zusammen zum Herunterladen",
  seen: "Jedes Objekt steht da, wo die Engine es gesehen hat.",
  guessed: "Abstände hat die Engine nicht gesehen: nach den Masken nebeneinandergestellt.",
  guessedOf: (objects) =>
    plural(objects, {
      one: "Von # Objekt hat die Engine keinen Abstand gesehen: nach der Maske danebengestellt.",
      other:
        "Von # Objekten hat die Engine keine Abstände gesehen: nach den Masken nebeneinandergestellt.",
    }),
  metre: "Die Einheit ist der Meter.",
  noSize:
    "Wie groß sie sind, hat niemand gesagt: Mach eins noch einmal mit seiner Höhe, dann ist alles in Metern.",
  ofTallest: (share) => `${share} % vom höchsten`,
};
