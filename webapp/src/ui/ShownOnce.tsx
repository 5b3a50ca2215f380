import { Copy } from "lucide-react";
import { type ReactNode, useState } from "react";
import { common } from "../texts/en/common";
import { files } from "../texts/en/files";
import { useTexts } from "../texts/texts";
import { Dialog } from "./Dialog";
import "./shown-once.css";

interface Props {
  /** Null while there is none. */
  secret: string | null;
  /** What it is, as it is called beside the field. */
  what: string;
  title: string;
  close(): void;
  children: ReactNode;
}

/** A secret that no other answer has. */
export function ShownOnce({ secret, what, title, close, children }: Props) {
  const t = useTexts(common);
  const said = useTexts(files);
  const [copied, setCopied] = useState(false);

  async function copy(): Promise<void> {
    if (secret === null) return;
    try {
      await navigator.clipboard.writeText(secret);
      setCopied(true);
    } catch {
      setCopied(false); // it is on the screen, to be copied by hand
    }
  }

  function leave(): void {
    setCopied(false);
    close();
  }

  return (
    <Dialog open={secret !== null} title={title} onClose={leave}>
      <p>
        <strong>{t.shownOnce}</strong> {children}
      </p>
      <div className="shown-once">
        <input
          className="input"
          aria-label={what}
          readOnly
          value={secret ?? ""}
          onFocus={(event) => event.currentTarget.select()}
        />
        <button type="button" className="button button-quiet" onClick={() => void copy()}>
          <Copy aria-hidden="true" /> {copied ? said.copied : said.copy}
        </button>
      </div>
      <div className="actions">
        <button type="button" className="button" onClick={leave}>
          {t.kept}
        </button>
      </div>
    </Dialog>
  );
}
