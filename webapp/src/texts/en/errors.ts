import { english } from "../texts";

export const errors = english("errors", {
  /** By the errors' names, where the page says it in words of its own; else the API's stand. */
  named: {} as { readonly [name: string]: string | undefined },
  unnamed: "Something went wrong. Try again.",
  againInSeconds: (seconds: number) => `Try again in ${seconds} seconds.`,
  againAfter: (moment: string) => `Try again after ${moment}.`,
  stopped: "This page stopped working. Reload it; what you did is kept.",
  newer:
    "A new version of Gen3D is out, and parts of this one are gone. Reload the page; what you did is kept.",
  configLacks: (name: string) => `config.json lacks "${name}". Deploy the web app again.`,
  configAnswered: (status: number) => `config.json answered ${status}. Deploy the web app again.`,
});
