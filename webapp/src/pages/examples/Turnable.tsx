import { useEffect, useRef, useState } from "react";
import { examples } from "../../texts/en/examples";
import { useTexts } from "../../texts/texts";

/**
 * A model that can be turned; it comes once it is pointed at, touched or reached by the keyboard, as to
 * draw it costs a weak machine seconds. Where it does not come, or nothing draws it, its picture stays.
 */
export function Turnable({ url, name }: { url: string; name: string }) {
  const t = useTexts(examples);
  const canvas = useRef<HTMLCanvasElement>(null);
  const [wanted, setWanted] = useState(false);
  const [there, setThere] = useState(false);
  const want = () => setWanted(true);
  useEffect(() => {
    if (!wanted) return;
    let dispose: (() => void) | undefined;
    let gone = false;
    import("../../viewer/turntable")
      .then(async ({ turntable }) => {
        if (!canvas.current || gone) return;
        const made = await turntable(canvas.current, url);
        if (gone) made();
        else dispose = made;
        setThere(!gone);
      })
      .catch((failure) => console.warn("Example", failure));
    return () => {
      gone = true;
      dispose?.();
    };
  }, [url, wanted]);
  return (
    // biome-ignore lint/a11y/noInteractiveElementToNoninteractiveRole: readers pass its keys on.
    <canvas
      ref={canvas}
      className={there ? "there" : undefined}
      tabIndex={0}
      onPointerEnter={want}
      onPointerDown={want}
      onFocus={want}
      role="application"
      aria-label={t.canvas(name)}
    />
  );
}
