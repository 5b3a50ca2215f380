import { Images, KeyRound, LogOut, Moon, Plus, Sun } from "lucide-react";
import { useState } from "react";
import { Link, useLocation } from "wouter";
import { signOut, useSession } from "./auth/session";
import { dropAll } from "./kept/kept";
import { app } from "./texts/en/app";
import { common } from "./texts/en/common";
import { useTexts } from "./texts/texts";
import { LanguageChoice } from "./ui/LanguageChoice";
import { currentTheme, toggleTheme } from "./ui/theme";

export function Header() {
  const t = useTexts(app);
  const { gallery } = useTexts(common);
  const { person } = useSession();
  const [path, navigate] = useLocation();
  const [theme, setTheme] = useState(currentTheme);
  const here = (to: string) => (path === to ? "page" : undefined);
  return (
    <header className="header">
      <Link href="/" className="brand" aria-label={t.start}>
        <Mark />
        <span>Gen3D</span>
      </Link>
      <nav aria-label={t.main}>
        <Link href="/" className="nav-link" aria-current={here("/")}>
          <Plus aria-hidden="true" /> <span>{t.new}</span>
        </Link>
        <Link href="/gallery" className="nav-link" aria-current={here("/gallery")}>
          <Images aria-hidden="true" /> <span>{gallery}</span>
        </Link>
      </nav>
      <div className="header-end">
        <button
          type="button"
          className="icon-button"
          aria-label={theme === "dark" ? t.lightColours : t.darkColours}
          onClick={() => setTheme(toggleTheme())}
        >
          {theme === "dark" ? <Sun /> : <Moon />}
        </button>
        <LanguageChoice />
        {person && (
          <>
            <span className="header-email" title={person.email}>
              {person.email}
            </span>
            <Link
              href="/keys"
              className="icon-button"
              aria-label={t.keys}
              title={t.keys}
              aria-current={here("/keys") ?? here("/webhooks")}
            >
              <KeyRound />
            </Link>
            <button
              type="button"
              className="icon-button"
              aria-label={t.signOut}
              title={t.signOut}
              onClick={async () => {
                await dropAll();
                await signOut();
                navigate("/");
              }}
            >
              <LogOut />
            </button>
          </>
        )}
        {person === null && path !== "/signin" && (
          <Link href="/signin" className="button button-small">
            {t.signIn}
          </Link>
        )}
      </div>
    </header>
  );
}

function Mark() {
  return (
    <svg className="mark" viewBox="0 0 32 32" aria-hidden="true">
      <path d="M16 4.5 26 10v12l-10 5.5L6 22V10z" />
      <path d="M6.4 10.2 16 15.6l9.6-5.4M16 15.6V27" />
      <circle cx="16" cy="15.6" r="3.4" />
    </svg>
  );
}
