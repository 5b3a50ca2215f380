import type { files as english } from "../en/files";
import type { Translated } from "../texts";

export const files: Translated<typeof english> = {
  viewer: "die 3D-Ansicht",
  loadingViewer: "Die 3D-Ansicht lädt",
  packer: "was ein ZIP packt",
  packing: "Packt …",
  packingZip: "Das ZIP wird gepackt",
  copy: "Kopieren",
  copied: "Kopiert",
  about: (name) => `Zu ${name}`,
};
