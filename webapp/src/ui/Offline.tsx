import { CloudOff } from "lucide-react";
import { find, useConnection } from "./connection";

/** The one place that says that the service cannot be reached, and what waits for it. */
export function Offline() {
  const { lost, waiting } = useConnection();
  // It stays while the words come and go: what is new in it is read out.
  return (
    <div className={lost ? "offline" : "visually-hidden"} role="status">
      {lost && (
        <>
          <CloudOff aria-hidden="true" />
          <p>
            <strong>The server cannot be reached.</strong> {said(waiting)}
          </p>
          <button type="button" className="button button-small button-quiet" onClick={find}>
            Try now
          </button>
        </>
      )}
    </div>
  );
}

function said(waiting: readonly string[]): string {
  if (waiting.length === 0) return "Nothing you did is lost.";
  return `Nothing you did is lost. When it is back, this goes on by itself: ${waiting.join(", ")}.`;
}
