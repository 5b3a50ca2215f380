import { Link, useLocation } from "wouter";
import { app } from "../texts/en/app";
import { useTexts } from "../texts/texts";
import "./for-programs.css";

/** Leads between what there is for programs. */
export function ForPrograms() {
  const t = useTexts(app);
  const [path] = useLocation();
  return (
    <nav className="for-programs" aria-label={t.forPrograms}>
      {Object.entries(t.forProgramsPages).map(([page, words]) => (
        <Link key={page} href={`/${page}`} aria-current={path === `/${page}` ? "page" : undefined}>
          {words}
        </Link>
      ))}
    </nav>
  );
}
