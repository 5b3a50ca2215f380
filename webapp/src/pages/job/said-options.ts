/** Options in the page's language; the API's own words stand where there are no others. */

import type { Option, OptionValue } from "../../api/chosen";
import { options } from "../../texts/en/options";
import { texts } from "../../texts/texts";

export function titleOf({ part, name, title }: Option): string {
  return texts(options).titles[`${part} ${name}`] ?? title;
}

/** What is read for a value; where there is none, another option decides. */
export function optionSaid(value: OptionValue): string {
  const { byItself, values } = texts(options);
  return value === null ? byItself : (values[value] ?? String(value));
}
