import { Link } from "wouter";
import { app } from "../texts/en/app";
import { common } from "../texts/en/common";
import { useTexts } from "../texts/texts";

export function NotFound() {
  const t = useTexts(app);
  const { gallery } = useTexts(common);
  return (
    <section className="page narrow centred">
      <title>{`${t.nothingHere} · Gen3D`}</title>
      <h1>{t.nothingHere}</h1>
      <p className="muted">{t.noPage}</p>
      <p className="actions">
        <Link className="button" href="/gallery">
          {gallery}
        </Link>
      </p>
    </section>
  );
}
