import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { PASSWORD, PASSWORD_HINT } from "../src/auth/password";

const TEMPLATE = readFileSync(new URL("../../template.yaml", import.meta.url), "utf-8");

/** The user pool's policy, as the template has it. */
function policy(): Record<string, string> {
  const [, block = ""] = /PasswordPolicy:.*\n((?: {10}\w+: .*\n)+)/.exec(TEMPLATE) ?? [];
  return Object.fromEntries(
    [...block.matchAll(/(\w+): (\w+)/g)].map(([, name = "", value = ""]) => [name, value]),
  );
}

describe("what the form says of a password", () => {
  it("is what the user pool takes", () => {
    const { MinimumLength, RequireLowercase, RequireUppercase, RequireNumbers, RequireSymbols } =
      policy();
    expect({
      minLength: Number(MinimumLength),
      requireLowercase: RequireLowercase === "true",
      requireUppercase: RequireUppercase === "true",
      requireNumbers: RequireNumbers === "true",
      requireSpecialCharacters: RequireSymbols === "true",
    }).toEqual(PASSWORD);
  });

  it("is all of it in the hint", () => {
    const words: [boolean, string][] = [
      [true, String(PASSWORD.minLength)],
      [PASSWORD.requireLowercase, "lower-case letter"],
      [PASSWORD.requireUppercase, "capital letter"],
      [PASSWORD.requireNumbers, "digit"],
      [PASSWORD.requireSpecialCharacters, "symbol"],
    ];
    for (const [required, word] of words) expect(PASSWORD_HINT.includes(word)).toBe(required);
  });
});
