import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { describe, expect, it, vi } from "vitest";
import SignIn from "../src/auth/SignIn";
import { type Services, ServicesContext } from "../src/services";

vi.mock("@aws-amplify/ui-react", () => ({
  ThemeProvider: ({ children }: { children: unknown }) => children,
  Authenticator: ({ hideSignUp }: { hideSignUp: boolean }) =>
    hideSignUp ? "Sign In" : "Sign In, Create Account",
}));

function form(selfSignUp: boolean): string {
  const value = { config: { selfSignUp } } as Services;
  return renderToStaticMarkup(createElement(ServicesContext, { value }, createElement(SignIn)));
}

describe("the sign-in form", () => {
  it("offers an account only where people may make their own", () => {
    expect(form(true)).toBe("Sign In, Create Account");
    expect(form(false)).not.toContain("Create Account");
    expect(form(false)).toContain("An administrator creates accounts.");
  });
});
