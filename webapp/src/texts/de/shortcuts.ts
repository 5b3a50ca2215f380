import { MAX_OBJECTS } from "../../api/domain";
import type { shortcuts as english } from "../en/shortcuts";
import type { Translated } from "../texts";

export const shortcuts: Translated<typeof english> = {
  title: "Tastenkürzel",
  button: "Tastenkürzel (?)",
  anywhere: "Überall",
  onPhoto: "Wenn das Foto den Fokus hat",
  selecting: "Beim Auswählen",
  onModel: "Wenn ein Modell den Fokus hat",
  model: {
    turn: { shown: "Pfeiltasten", does: "Drehen" },
    nearer: { shown: "+", does: "Näher heran" },
    further: { shown: "-", does: "Weiter weg" },
  },
  keys: {
    add: { shown: "A", does: "Angeklicktes dazunehmen" },
    remove: { shown: "R", does: "Angeklicktes wegnehmen" },
    brush: { shown: "B", does: "Pinsel" },
    erase: { shown: "E", does: "Radierer" },
    pan: { shown: "H", does: "Foto verschieben" },
    hold: { shown: "Leertaste", does: "Foto verschieben, solange gehalten" },
    addObject: { shown: "N", does: "Neues Objekt" },
    choose: { shown: `1 bis ${MAX_OBJECTS}`, does: "Ein Objekt wählen" },
    clear: { shown: "Entf", does: "Objekt leeren" },
    undo: { shown: "Strg+Z", does: "Rückgängig" },
    redo: { shown: "Strg+Umschalt+Z", does: "Wiederholen" },
    redoToo: { shown: "Strg+Y", does: "Wiederholen" },
    zoomIn: { shown: "+", does: "Vergrößern" },
    zoomOut: { shown: "-", does: "Verkleinern" },
    wholePhoto: { shown: "0", does: "Ganzes Foto" },
    help: { shown: "?", does: "Diese Tasten zeigen" },
    cross: { shown: "Pfeiltasten", does: "Das Kreuz bewegen; mit Umschalt weiter" },
    clickCross: { shown: "Eingabe", does: "Anklicken, was unter dem Kreuz liegt" },
    takeOut: { shown: "Rücktaste", does: "Wegnehmen, was unter dem Kreuz liegt" },
    letGo: { shown: "Esc", does: "Loslassen, und das Kreuz wegnehmen" },
  },
};
