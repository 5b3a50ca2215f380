/** The API's own description, as `GET /openapi.json` answers it: what of OpenAPI is read here. */

import { reference as said } from "../../texts/en/reference";
import { texts } from "../../texts/texts";

export interface Schema {
  $ref?: string;
  type?: string;
  format?: string;
  description?: string;
  enum?: unknown[];
  anyOf?: Schema[];
  items?: Schema;
  prefixItems?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: Schema | boolean;
  default?: unknown;
  deprecated?: boolean;
  [bound: string]: unknown;
}

interface Content {
  schema: Schema;
  examples?: Record<string, { $ref: string }>;
}

interface Body {
  description?: string;
  required?: boolean;
  content?: Record<string, Content>;
}

interface Parameter {
  $ref?: string;
  name: string;
  in: string;
  required?: boolean;
  description?: string;
  schema: Schema;
}

interface Described {
  operationId: string;
  summary: string;
  description?: string;
  security?: Record<string, unknown>[];
  parameters: Parameter[];
  requestBody?: Body;
  responses: Record<string, Body>;
}

export interface Description {
  info: { title: string; version: string; description: string };
  paths: Record<string, Record<string, Described>>;
  components: { schemas: Record<string, Schema> } & Record<string, Record<string, unknown>>;
}

/** A request that may be made. */
export interface Operation extends Described {
  method: string;
  path: string;
}

export function isDescription(value: unknown): value is Description {
  const found = value as Partial<Description> | null;
  return Boolean(found?.info?.version && found.paths && found.components?.schemas);
}

export function operationsOf(description: Description): Operation[] {
  return Object.entries(description.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, described]) => ({
      ...described,
      method: method.toUpperCase(),
      path,
      parameters: described.parameters.map((one) => resolved<Parameter>(description, one)),
    })),
  );
}

/** What stands in the place of a reference. */
export function resolved<T>(description: Description, value: { $ref?: string }): T {
  if (!value.$ref) return value as T;
  const parts = value.$ref.replace("#/", "").split("/");
  return parts.reduce<unknown>(
    (found, part) => (found as Record<string, unknown>)[part],
    description,
  ) as T;
}

export function jsonOf(body: Body | undefined): Content | undefined {
  return body?.content?.["application/json"];
}

/** Examples by their names, as JSON. */
export function examplesOf(description: Description, content: Content): [string, string][] {
  return Object.entries(content.examples ?? {}).map(([name, example]) => [
    name,
    JSON.stringify(resolved<{ value: unknown }>(description, example).value, null, 2),
  ]);
}

/** A type in a few words; a name of a schema stands by itself. */
export type Words = (string | { name: string })[];

export function wordsOf(schema: Schema): Words {
  const t = texts(said);
  if (schema.$ref) return [{ name: schema.$ref.split("/").at(-1) ?? "" }];
  if (schema.anyOf) {
    return schema.anyOf.flatMap((one, n) => [...(n ? [` ${t.or} `] : []), ...wordsOf(one)]);
  }
  if (schema.enum) return [schema.enum.map((value) => JSON.stringify(value)).join(", ")];
  if (schema.prefixItems) return [t.numbers(schema.prefixItems.length)];
  if (schema.items) return [`${t.listOf} `, ...wordsOf(schema.items), ...within(schema, "Items")];
  if (typeof schema.additionalProperties === "object") {
    return [`${t.byName} `, ...wordsOf(schema.additionalProperties)];
  }
  const kind = schema.format ? `${schema.type}, ${schema.format}` : (schema.type ?? t.anything);
  return [kind, ...within(schema, "Length"), ...within(schema, "imum")];
}

/** Its bounds, as people say them. */
function within(schema: Schema, what: "Items" | "Length" | "imum"): string[] {
  const least = schema[`min${what}`];
  const most =
    schema[`max${what}`] ?? (what === "imum" ? below(schema.exclusiveMaximum) : undefined);
  if (least === undefined && most === undefined) return [];
  const t = texts(said);
  const bounds =
    most === undefined
      ? t.orMore(String(least))
      : least === undefined
        ? t.orFewer(String(most))
        : t.within(String(least), String(most));
  return [`, ${what === "Length" ? t.letters(bounds) : bounds}`];
}

function below(bound: unknown): number | undefined {
  return typeof bound === "number" && Number.isInteger(bound) ? bound - 1 : undefined;
}

/** Whether anybody may make a request. */
export function isOpen({ security }: Pick<Described, "security">): boolean {
  return security?.length === 0;
}

/** Whether a person alone may make a request, and no key. */
export function isPersons({ security }: Pick<Described, "security">): boolean {
  return security !== undefined && security.length > 0 && !security.some((way) => "key" in way);
}

/** The request as a line for a terminal, with its first example. */
export function curlOf(
  description: Description,
  { method, path, security, requestBody }: Operation,
  api: string,
): string {
  const lines = [`curl${method === "GET" ? "" : ` -X ${method}`} "${api}${path}"`];
  if (!isOpen({ security })) lines.push('-H "Authorization: Bearer $ID_TOKEN"');
  const content = jsonOf(requestBody);
  const example = content && resolvedExample(description, content);
  if (example !== undefined) {
    lines.push('-H "Content-Type: application/json"', `-d '${JSON.stringify(example)}'`);
  }
  return lines.join(" \\\n  ").replace("{jobId}", "$JOB_ID");
}

function resolvedExample(description: Description, content: Content): unknown {
  const [first] = Object.values(content.examples ?? {});
  return first && resolved<{ value: unknown }>(description, first).value;
}
