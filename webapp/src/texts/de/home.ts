import type { home as english } from "../en/home";
import type { Translated } from "../texts";

export const home: Translated<typeof english> = {
  click: "Klick ein Objekt an.",
  get: "Hol dir sein Mesh.",
  lead: "Gen3D macht aus einem Objekt im Foto ein texturiertes 3D-Modell, das du drehen, herunterladen und drucken kannst.",
  steps: {
    photo: {
      title: "Foto hinzufügen",
      about:
        "Irgendein Foto von einem Ding: Tasse, Stuhl, Katze. JPEG, HEIC, PNG, WebP oder AVIF, bis 20\u00a0MB.",
    },
    click: {
      title: "Objekt anklicken",
      about: "Die Maske antwortet sofort auf jeden Klick. Bis zu acht Objekte in einem Foto.",
    },
    mesh: {
      title: "Mesh bekommen",
      about: "GLB, USDZ, OBJ, STL, 3MF und den Splat. Ist es fertig, kommt eine Mail.",
    },
  },
  oneStep: "Vorher noch ein Schritt",
  signIn: (photo) =>
    `Melde dich an, damit „${photo}“ und das Modell davon nur dir gehören. Das Foto bleibt da.`,
  signInOrUp: (photo) =>
    `Melde dich an oder leg ein Konto an, damit „${photo}“ und das Modell davon nur dir gehören. Das Foto bleibt da.`,
  another: "Ein anderes Foto wählen",
  creating: "Der Auftrag wird angelegt",
  waiting: "dein neuer Auftrag",
  examples: "die Beispiele",
  api: "Die API, für Programme",
  addDepth: "Zuerst eine Tiefenkarte hinzufügen",
  depth:
    "Ein graues PNG mit 16 Bit, in Millimetern, wie Apps für Handys mit LiDAR es neben dem Foto speichern. Was entsteht, ist dann in Metern.",
  whatIsIt: "Was ist es? (freiwillig)",
  chair: "Stuhl",
};
