import { english } from "../texts";

/** What may be chosen for an object. */
export const options = english("options", {
  options: "Options",
  seconds: (time: string) => `About ${time} an object, once it begins.`,
  byItself: "automatic",
  /** By part and name, where there are other words than the API's. */
  titles: {} as { readonly [option: string]: string | undefined },
  values: {} as { readonly [value: string]: string | undefined },
});
