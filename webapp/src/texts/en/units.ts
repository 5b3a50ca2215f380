import { english } from "../texts";
import { plural } from "./plural";

/** Times and lengths in words; what is written alike everywhere stands in `ui/format.ts`. */
export const units = english("units", {
  days: (n: number) => plural(n, { one: "# day", other: "# days" }),
  left: (time: string) => `about ${time} left`,
});
