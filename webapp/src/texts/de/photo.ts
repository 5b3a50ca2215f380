import type { photo as english } from "../en/photo";
import type { Translated } from "../texts";
import { plural } from "./plural";

export const photo: Translated<typeof english> = {
  drop: "Zieh ein Foto hierher",
  orPaste: "oder füg es ein, oder",
  add: "Ein Foto hinzufügen",
  choose: "Foto wählen",
  take: "Foto aufnehmen",
  photo: "Foto",
  camera: "Kamera",
  samples: "Oder probier eines von diesen",
  sample: {
    coffee: "Eine Tasse Espresso",
    chelsea: "Das Gesicht einer Katze",
    rocket: "Eine Rakete beim Start",
  },
  noFile: "Das war keine Datei. Zieh ein Foto von deinem Gerät hierher.",
  noSample: "Das Beispiel ließ sich nicht laden. Prüf die Verbindung und versuch es noch einmal.",
  tooMany: (files) =>
    plural(files, {
      one: "Das war # Datei. Füg ein Foto hinzu; jedes ist ein eigener Auftrag.",
      other: "Das waren # Dateien. Füg ein Foto hinzu; jedes ist ein eigener Auftrag.",
    }),
  empty: "Die Datei ist leer. Wähl ein anderes Foto.",
  noPhoto: (name) =>
    `„${name}“ lässt sich nicht als Foto lesen. Wähl ein JPEG, HEIC, PNG, WebP oder AVIF.`,
  reading: "Das Foto wird gelesen",
  heic: {
    damaged: "Das HEIC-Foto ist beschädigt und lässt sich nicht zeigen. Wähl ein anderes.",
    notLoaded:
      "Was HEIC-Fotos liest, ließ sich nicht laden. Versuch es noch einmal, oder speichere es als JPEG.",
    tooLarge: "Das Foto ist selbst als JPEG zu groß. Speichere es kleiner.",
    unread: "Das HEIC-Foto ließ sich in diesem Browser nicht lesen. Speichere es als JPEG.",
  },
  tooLarge: (megabytes, most) =>
    `Das Foto hat ${megabytes} MB, mehr als ${most} MB dürfen es nicht sein. Speichere es kleiner.`,
  tooManyPixels: (megapixels, most) =>
    `Das Foto hat ${megapixels} Megapixel, mehr als ${most} dürfen es nicht sein. Speichere es kleiner.`,
  tooSmall: (width, height, least) =>
    `Das Foto hat ${width} × ${height} Pixel; jede Seite braucht ${least}. Nimm ein größeres.`,
  damaged: "Das Foto ist beschädigt und lässt sich nicht zeigen. Wähl ein anderes.",
};
