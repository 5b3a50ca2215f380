import { Link } from "wouter";

export function NotFound() {
  return (
    <section className="page narrow centred">
      <title>Nothing here · Gen3D</title>
      <h1>Nothing here</h1>
      <p className="muted">This page does not exist. Your jobs are in the gallery.</p>
      <p className="actions">
        <Link className="button" href="/gallery">
          Gallery
        </Link>
      </p>
    </section>
  );
}
