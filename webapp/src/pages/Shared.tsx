import { Suspense } from "react";
import { Link } from "wouter";
import { useLocationProperty } from "wouter/use-browser-location";
import { useServices } from "../services";
import { lazily } from "../ui/lazily";
import { Spinner } from "../ui/Spinner";
import { endOf, fromFragment } from "./shared-link";
import "./result/result.css";

const Viewer = lazily("the viewer", () => import("../viewer/Viewer"));

/** What somebody shared; no account is needed. */
export default function SharedPage() {
  const { config } = useServices();
  // Another link that is pasted into this page changes its fragment alone.
  const fragment = useLocationProperty(() => window.location.hash.slice(1));
  const shared = fromFragment(fragment, config);
  const end = shared && endOf(shared);
  if (!shared || (end && end < new Date())) {
    return (
      <section className="page narrow centred">
        <title>Shared model · Gen3D</title>
        <h1>{shared ? "This link has ended" : "This link is not complete"}</h1>
        <p className="muted">
          Links to a model are good for an hour. Ask the person who sent it for a new one.
        </p>
        <p className="actions">
          <Link className="button" href="/">
            Make your own
          </Link>
        </p>
      </section>
    );
  }
  return (
    <div className="page shared">
      <title>{`${shared.name} · Gen3D`}</title>
      <h1>{shared.name}</h1>
      <Suspense fallback={<Spinner label="Loading the viewer" />}>
        <Viewer key={fragment} name={shared.name} meshUrl={shared.glb} splatUrl={shared.splat} />
      </Suspense>
      <p className="actions">
        {shared.glb && (
          <a className="button" href={shared.glb} download>
            Download the GLB
          </a>
        )}
        <Link className="button button-quiet" href="/">
          Make your own
        </Link>
      </p>
    </div>
  );
}
