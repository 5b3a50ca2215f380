import { english, type Wrap } from "../texts";
import { plural } from "./plural";

/** What stands around the API's description of itself, which is English. */
export const reference = english("reference", {
  title: "API",
  loading: "Loading the API's description",
  requests: "Requests",
  models: "Models",
  version: (version: string) => `The API, version ${version}`,
  about: (link: Wrap) => (
    <>
      This page shows {link("openapi.json")}, an OpenAPI 3.1 document, from which generators make
      clients.
    </>
  ),
  unreadable: "The API's description cannot be read. Try again in a moment.",
  open: "Nobody has to be signed in.",
  persons: "A person has to be signed in; no key may.",
  byCurl: (request: string) => `${request} by curl`,
  takes: "Takes",
  answers: "Answers",
  request: (request: string) => `${request}, request`,
  example: "Example",
  exampleOf: (what: string) => `${what}, example`,
  or: "or",
  anything: "anything",
  listOf: "list of",
  byName: "by name:",
  numbers: (n: number) => plural(n, { one: "# number", other: "# numbers" }),
  orMore: (n: string) => `${n} or more`,
  orFewer: (n: string) => `${n} or fewer`,
  within: (least: string, most: string) => `${least} to ${most}`,
  letters: (n: string) => `${n} letters`,
  absent: "may be absent",
  deprecated: "deprecated",
});
