import { MAX_OBJECTS } from "../../api/domain";
import { english } from "../texts";

/** The keys of the selection, as the keyboards of the language have them, and what they do. */
export const shortcuts = english("shortcuts", {
  title: "Shortcuts",
  button: "Shortcuts (?)",
  anywhere: "Anywhere",
  onPhoto: "With the focus on the photo",
  selecting: "While selecting",
  onModel: "With the focus on a model",
  model: {
    turn: { shown: "Arrows", does: "Turn it" },
    nearer: { shown: "+", does: "Come closer" },
    further: { shown: "-", does: "Go away" },
  },
  keys: {
    add: { shown: "A", does: "Add what is clicked" },
    remove: { shown: "R", does: "Remove what is clicked" },
    brush: { shown: "B", does: "Brush" },
    erase: { shown: "E", does: "Erase" },
    pan: { shown: "H", does: "Move the photo" },
    hold: { shown: "Space", does: "Move the photo, while held" },
    addObject: { shown: "N", does: "New object" },
    choose: { shown: `1 to ${MAX_OBJECTS}`, does: "Choose an object" },
    clear: { shown: "Delete", does: "Clear the object" },
    undo: { shown: "Ctrl+Z", does: "Undo" },
    redo: { shown: "Ctrl+Shift+Z", does: "Redo" },
    redoToo: { shown: "Ctrl+Y", does: "Redo" },
    zoomIn: { shown: "+", does: "Zoom in" },
    zoomOut: { shown: "-", does: "Zoom out" },
    wholePhoto: { shown: "0", does: "Whole photo" },
    help: { shown: "?", does: "Show these keys" },
    cross: { shown: "Arrows", does: "Move the cross; with Shift further" },
    clickCross: { shown: "Enter", does: "Click what is under the cross" },
    takeOut: { shown: "Backspace", does: "Take out what is under the cross" },
    letGo: { shown: "Escape", does: "Let go, and take the cross away" },
  },
});
