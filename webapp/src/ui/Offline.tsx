import { CloudOff } from "lucide-react";
import { app } from "../texts/en/app";
import { useTexts } from "../texts/texts";
import { find, useConnection } from "./connection";

/** The one place that says that the service cannot be reached, and what waits for it. */
export function Offline() {
  const t = useTexts(app);
  const { lost, waiting } = useConnection();
  // It stays while the words come and go: what is new in it is read out.
  return (
    <div className={lost ? "offline" : "visually-hidden"} role="status">
      {lost && (
        <>
          <CloudOff aria-hidden="true" />
          <p>
            <strong>{t.lost}</strong>{" "}
            {waiting.length === 0 ? t.nothingLost : t.goesOn(waiting.join(", "))}
          </p>
          <button type="button" className="button button-small button-quiet" onClick={find}>
            {t.tryNow}
          </button>
        </>
      )}
    </div>
  );
}
