import type { embed as english } from "../en/embed";
import type { Translated } from "../texts";

export const embed: Translated<typeof english> = {
  turn: "In 3D drehen",
  whole: "In Gen3D öffnen",
  nothing:
    "Dieses Modell wird nicht mehr geteilt: Sein Link ist abgelaufen, zurückgezogen oder unvollständig.",
  noWebGl: "Dieser Browser zeigt hier kein 3D (WebGL 2 fehlt).",
};
