import { Rotate3d } from "lucide-react";
import { useEffect, useState } from "react";
import { result as said } from "../../texts/en/result";
import { useTexts } from "../../texts/texts";
import { type Placed, type RoomViewer, roomLink, roomViewer } from "./room";

/** A button that sets the object into one's room, on a device that can. */
export function InTheRoom({ object }: { object: Placed }) {
  const t = useTexts(said);
  const [viewer, setViewer] = useState<RoomViewer | null>(null);
  useEffect(() => setViewer(roomViewer()), []);
  const link = viewer && roomLink(viewer, object, window.location.href);
  if (!link) return null;

  function open(): void {
    const anchor = document.createElement("a");
    anchor.href = link as string;
    if (viewer === "quick-look") {
      // Safari opens Quick Look for a link of this kind alone: its only child is a picture.
      anchor.rel = "ar";
      anchor.append(document.createElement("img"));
    }
    anchor.click();
  }

  return (
    <button type="button" className="button button-quiet" onClick={open}>
      <Rotate3d aria-hidden="true" /> {t.room}
    </button>
  );
}
