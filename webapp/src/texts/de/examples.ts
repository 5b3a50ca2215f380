import type { examples as english } from "../en/examples";
import type { Translated } from "../texts";

export const examples: Translated<typeof english> = {
  title: "Dreh, was daraus wurde",
  about:
    "Drei Modelle nach den drei Fotos oben, so wie sie kamen: von der kleinen Engine, die keine GPU braucht. Was das Foto nicht zeigt, rät sie, und das sieht man; die größeren raten besser.",
  of: {
    coffee: "Tasse und Untertasse",
    chelsea: "Das Gesicht einer Katze",
    rocket: "Eine Rakete",
  },
  canvas: (name) => `3D-Ansicht von ${name}. Zieh oder drück die Pfeiltasten, um es zu drehen.`,
};
