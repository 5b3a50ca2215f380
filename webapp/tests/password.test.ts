import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { PASSWORD } from "../src/auth/password";
import { auth as german } from "../src/texts/de/auth";
import { auth } from "../src/texts/en/auth";

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

  it.each([
    [auth.english, ["lower-case letter", "capital letter", "digit", "symbol"]],
    [german, ["Kleinbuchstaben", "Großbuchstaben", "Ziffer", "Sonderzeichen"]],
  ])("is all of it in the hint", ({ passwordHint }, [lower, upper, digit, symbol]) => {
    const words: [boolean, string | undefined][] = [
      [true, String(PASSWORD.minLength)],
      [PASSWORD.requireLowercase, lower],
      [PASSWORD.requireUppercase, upper],
      [PASSWORD.requireNumbers, digit],
      [PASSWORD.requireSpecialCharacters, symbol],
    ];
    const hint = passwordHint(PASSWORD.minLength);
    for (const [required, word] of words) expect(hint.includes(word ?? "?")).toBe(required);
  });
});
