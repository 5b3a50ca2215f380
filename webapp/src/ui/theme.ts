import { note, noted } from "../kept/notes";

/** Light, dark, or what the system says. */
export type Theme = "light" | "dark";

const KEY = "theme";

function stored(): Theme | null {
  const value = noted("localStorage", KEY);
  return value === "light" || value === "dark" ? value : null;
}

/** The theme in sight. */
export function currentTheme(): Theme {
  return stored() ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
}

/** Put the person's choice, if there is one, on the page. */
export function applyTheme(): void {
  const theme = stored();
  if (theme) document.documentElement.dataset.theme = theme;
}

export function toggleTheme(): Theme {
  const theme = currentTheme() === "dark" ? "light" : "dark";
  note("localStorage", KEY, theme);
  applyTheme();
  return theme;
}
