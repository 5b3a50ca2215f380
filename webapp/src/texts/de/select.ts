import type { select as english } from "../en/select";
import type { Translated } from "../texts";
import { plural } from "./plural";

export const select: Translated<typeof english> = {
  select: "Objekte auswählen",
  objects: "Objekte",
  object: (n) => `Objekt ${n}`,
  hint: "Klick das Objekt an oder zieh einen Rahmen darum",
  covers: (object, percent) => `${object} bedeckt ${percent} Prozent des Fotos.`,
  tool: "das Auswahlwerkzeug",
  loadAgain: "Noch einmal laden",
  loading: "Das Auswahlwerkzeug lädt",
  sending: "Wird geschickt …",
  reconstruct: (objects) =>
    plural(objects, { one: "In 3D rekonstruieren", other: "# Objekte rekonstruieren" }),
  better:
    "Diese Masken zeichnet ein schnelles Modell, während das bessere aufwacht. Mach mit ihnen weiter oder warte: Bessere kommen von selbst.",
  nothing: "Noch ist nichts ausgewählt.",
  kept: "Bis dahin bleibt deine Auswahl in diesem Browser.",
  notKept:
    "Dieser Browser behält nichts (ein privates Fenster, oder die Platte ist voll): Ein Neuladen verlöre deine Auswahl.",
  missing: "Das vorbereitete Foto fehlt. Fang mit diesem Foto einen neuen Auftrag an.",
  coversAll: (object) =>
    `Die Maske von „${object}“ bedeckt das ganze Foto; lass den Hintergrund weg.`,
  tooSmall: (object) => `Die Maske von „${object}“ ist zu klein.`,
  tools: "Werkzeuge zum Auswählen",
  toolLegend: "Werkzeug",
  toolbar: {
    add: { label: "Dazu", hint: "Klick an, was dazugehört (A)" },
    remove: { label: "Weg", hint: "Klick an, was nicht dazugehört (R, oder rechte Maustaste)" },
    brush: { label: "Pinsel", hint: "Mal die Maske (B)" },
    erase: { label: "Radierer", hint: "Radier die Maske weg (E)" },
    pan: { label: "Schieben", hint: "Verschieb das Foto (H, oder Leertaste halten)" },
  },
  size: "Größe",
  undo: "Rückgängig",
  redo: "Wiederholen",
  clear: "Dieses Objekt leeren",
  zoomOut: "Verkleinern",
  zoomIn: "Vergrößern",
  wholePhoto: "Ganzes Foto",
  add: "Neues",
  selectOne: (object) => `${object} wählen`,
  empty: "leer",
  remove: (object) => `${object} entfernen`,
  nameOf: (n) => `Name von Objekt ${n}`,
  photo:
    "Foto. Pfeiltasten bewegen das Kreuz, Eingabe nimmt dazu, was darunter liegt, Rücktaste nimmt es weg.",
  takeObjectPoint: (n) => `Punkt ${n} entfernen (Objekt)`,
  takeBackgroundPoint: (n) => `Punkt ${n} entfernen (Hintergrund)`,
  didYouMean: "Meintest du",
  mask: (n, of) => `Maske ${n} von ${of}`,
  certain: (what, percent) => `${what}, zu ${percent} Prozent sicher`,
  found: (name) => `Gefunden: ${name}`,
  foundOne: (name, n, of) => `${name} ${n} von ${of}`,
  notFound: (text) => `Unter „${text}“ wurde nichts gefunden.`,
  awaited: "Unter dem Namen wird gesucht, sobald das Modell wach ist. Klick das Objekt solange an.",
  unsure: "So heißt hier nichts mit Sicherheit. Klick das Objekt stattdessen an.",
  showUnsure: (more) =>
    plural(more, { one: "# weniger sicheres zeigen", other: "# weniger sichere zeigen" }),
  masksStay: "Deine Masken bleiben",
  betterHere: "Bessere Masken sind da",
  takeBetter: "Die besseren nehmen",
  keepMine: "Meine behalten",
  closeNote: "Hinweis schließen",
};
