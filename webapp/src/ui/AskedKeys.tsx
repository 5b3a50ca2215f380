import { Suspense, useEffect, useState } from "react";
import { common } from "../texts/en/common";
import { shortcuts } from "../texts/en/shortcuts";
import { texts, useTexts } from "../texts/texts";
import { Dialog } from "./Dialog";
import { lazily } from "./lazily";
import { Spinner } from "./Spinner";
import { TYPED } from "./typed";

const AllShortcuts = lazily(
  () => texts(shortcuts).title,
  () => import("../pages/select/Shortcuts"),
);

/** Shows the page's keys to who presses the question mark; the selection has a list of its own. */
export function AskedKeys() {
  const t = useTexts(shortcuts);
  const { loading } = useTexts(common);
  const [open, setOpen] = useState(false);
  useEffect(() => {
    const heard = (event: KeyboardEvent) => {
      if (event.key !== "?" || (event.target as Element).closest?.(TYPED)) return;
      // After all others have heard of it.
      setTimeout(() => setOpen(!event.defaultPrevented));
    };
    window.addEventListener("keydown", heard);
    return () => window.removeEventListener("keydown", heard);
  }, []);
  return (
    <Dialog open={open} title={t.title} onClose={() => setOpen(false)}>
      <Suspense fallback={<Spinner label={loading} />}>
        <AllShortcuts />
      </Suspense>
    </Dialog>
  );
}
