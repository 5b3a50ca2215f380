import type { units as english } from "../en/units";
import type { Translated } from "../texts";
import { plural } from "./plural";

export const units: Translated<typeof english> = {
  days: (n) => plural(n, { one: "# Tag", other: "# Tage" }),
  left: (time) => `noch etwa ${time}`,
};
