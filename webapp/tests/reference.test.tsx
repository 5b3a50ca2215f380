import { readFileSync } from "node:fs";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { renderToStaticMarkup } from "react-dom/server";
import { describe, expect, it } from "vitest";
import type { ApiClient } from "../src/api/client";
import type { AppConfig } from "../src/config/config";
import {
  curlOf,
  type Description,
  isDescription,
  operationsOf,
  type Schema,
  wordsOf,
} from "../src/pages/reference/description";
import Reference from "../src/pages/reference/Reference";
import { ServicesContext } from "../src/services";

const api = "https://api.example";
const found: unknown = JSON.parse(readFileSync("../docs/openapi.json", "utf-8"));
if (!isDescription(found)) throw new Error("This is no description.");
const description: Description = found;

function page(): string {
  const queries = new QueryClient();
  queries.setQueryData(["description", `${api}/openapi.json`], description);
  return renderToStaticMarkup(
    <ServicesContext value={{ api: {} as ApiClient, config: { apiUrl: api } as AppConfig }}>
      <QueryClientProvider client={queries}>
        <Reference />
      </QueryClientProvider>
    </ServicesContext>,
  );
}

const said = (schema: Schema) =>
  wordsOf(schema)
    .map((word) => (typeof word === "string" ? word : `<${word.name}>`))
    .join("");

describe("the API's page", () => {
  it("shows each request, model and refusal, and leads from a type to its model", () => {
    const shown = page();
    for (const { operationId, summary } of operationsOf(description)) {
      expect(shown).toContain(`id="${operationId}"`);
      expect(shown).toContain(summary.replaceAll("'", "&#x27;"));
    }
    for (const name of Object.keys(description.components.schemas)) {
      expect(shown).toContain(`id="${name}"`);
    }
    for (const [, target] of shown.matchAll(/href="#([^"]*)"/g)) {
      expect(shown).toContain(`id="${target}"`);
    }
    expect(shown).toContain("ImageMissing, ImageTooSmall, InvalidDepth, InvalidImage");
    expect(shown).toContain("&quot;filename&quot;: &quot;coffee.jpg&quot;");
  });

  it("says a type in words", () => {
    const { JobView, MaskUploads, Retry, RenameJob, Pose } = description.components.schemas;
    expect(said(JobView?.properties?.queue ?? {})).toBe("<QueueView> or null");
    expect(said(JobView?.properties?.createdAt ?? {})).toBe("string, date-time");
    expect(said(MaskUploads?.properties?.count ?? {})).toBe("integer, 1 to 8");
    expect(said(Retry?.properties?.objects ?? {})).toBe("list of <ObjectAgain>, 8 or fewer");
    expect(said(RenameJob?.properties?.name ?? {})).toBe("string, 1 to 100 letters");
    expect(said(Pose?.properties?.rotation ?? {})).toBe("4 numbers");
    expect(said({ type: "integer", minimum: 0, exclusiveMaximum: 8 })).toBe("integer, 0 to 7");
    expect(said({})).toBe("anything");
  });

  it("writes a request for a terminal, with a token where one is asked for", () => {
    const lines = Object.fromEntries(
      operationsOf(description).map((one) => [one.operationId, curlOf(description, one, api)]),
    );
    expect(lines.createMaskUploads).toBe(
      `curl -X POST "${api}/jobs/$JOB_ID/masks" \\\n  -H "Authorization: Bearer $ID_TOKEN" \\\n` +
        `  -H "Content-Type: application/json" \\\n  -d '{"count":2}'`,
    );
    expect(lines.describe).toBe(`curl "${api}/openapi.json"`);
    expect(lines.createKey).toContain("Authorization");
    const open = Object.keys(lines).filter((name) => !lines[name]?.includes("Authorization"));
    expect(open.sort()).toEqual(["describe", "getShared", "previewShared"]);
  });

  it("says what anybody may ask for, and what a person alone", () => {
    const shown = page();
    const part = (id: string) => shown.split(`<section id="${id}"`)[1]?.split("</section>")[0];
    expect(part("describe")).toContain("Nobody has to be signed in");
    for (const id of ["createKey", "createWebhook", "withdrawWebhook"]) {
      expect(part(id)).toContain("no key may");
      expect(part(id)).not.toContain("Nobody has to");
    }
    expect(part("listWebhooks")).not.toMatch(/no key may|Nobody has to/);
  });

  it("takes nothing for a description that is none", () => {
    expect([null, {}, { info: { version: "1" } }, "<html>"].some(isDescription)).toBe(false);
  });
});
