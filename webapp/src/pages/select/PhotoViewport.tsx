import { type CSSProperties, type ReactNode, useEffect, useRef } from "react";
import type { Gesture } from "../../selection/gestures";
import { listen } from "../../selection/listen";
import type { Size } from "../../selection/mask";
import { colourOf, css } from "../../selection/overlay";
import type { SelectionMachine } from "../../selection/selecting";
import { activeObject, type Point } from "../../selection/selection";
import { toScreen, type View } from "../../selection/view";
import { select as said } from "../../texts/en/select";
import { useTexts } from "../../texts/texts";
import type { ShownMask } from "./masks";
import { Overlay } from "./Overlay";
import { useMachine } from "./useMachine";

interface Props {
  photo: Size & { url: string; name: string };
  machine: SelectionMachine;
  masks: readonly ShownMask[];
  busy: boolean;
  children?: ReactNode;
}

/** The photo with its masks and points; what is done on it, the machine hears of. */
export function PhotoViewport({ photo, machine, masks, busy, children }: Props) {
  const t = useTexts(said);
  const viewport = useRef<HTMLDivElement>(null);
  useEffect(() => (viewport.current ? listen(machine, viewport.current) : undefined), [machine]);
  const { tool, brush, panning, view, gesture, cursor, history } = useMachine(machine, (s) => s);
  const { objects } = history.present;
  const active = activeObject(history.present);
  const colour = css(colourOf(objects.indexOf(active)));
  const moving = gesture?.kind === "pan" || panning;

  return (
    <div
      ref={viewport}
      className={`viewport viewport-${moving ? "pan" : tool}`}
      role="application"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: an application is interactive by itself.
      tabIndex={0}
      aria-label={t.photo}
      aria-busy={busy}
      style={{ "--object": colour } as CSSProperties}
    >
      <div
        className="viewport-layer"
        style={{
          width: photo.width,
          height: photo.height,
          transform: `translate(${view.x}px, ${view.y}px) scale(${view.scale})`,
        }}
      >
        <img src={photo.url} crossOrigin="anonymous" alt={photo.name} draggable={false} />
        <Overlay masks={masks} activeIndex={objects.indexOf(active)} />
      </div>
      <Marks gesture={gesture} view={view} brush={brush} />
      {active.box && (
        <BoxMark view={view} from={corner(active.box, 0)} to={corner(active.box, 1)} />
      )}
      {active.clicks.map((click, index) => {
        const at = toScreen(view, click);
        return (
          <button
            // biome-ignore lint/suspicious/noArrayIndexKey: points have no other name.
            key={index}
            type="button"
            className={click.label ? "point point-add" : "point point-remove"}
            style={{ left: at.x, top: at.y }}
            aria-label={
              click.label ? t.takeObjectPoint(index + 1) : t.takeBackgroundPoint(index + 1)
            }
            onClick={() => machine.act({ type: "removeClick", index })}
          />
        );
      })}
      {cursor && <Cross at={toScreen(view, cursor)} />}
      {children}
    </div>
  );
}

function corner(box: { x0: number; y0: number; x1: number; y1: number }, which: 0 | 1): Point {
  return which === 0 ? { x: box.x0, y: box.y0 } : { x: box.x1, y: box.y1 };
}

interface MarksProps {
  gesture: Gesture | null;
  view: View;
  brush: number;
}

/** What is being drawn just now. */
function Marks({ gesture, view, brush }: MarksProps) {
  if (gesture?.kind === "box") return <BoxMark view={view} from={gesture.from} to={gesture.to} />;
  if (gesture?.kind !== "brush") return null;
  const points = gesture.path.map((point) => toScreen(view, point));
  return (
    <svg className="stroke" aria-hidden="true">
      <polyline
        className={gesture.erase ? "stroke-erase" : "stroke-add"}
        points={points
          .concat(points.slice(-1))
          .map(({ x, y }) => `${x},${y}`)
          .join(" ")}
        strokeWidth={brush * 2}
      />
    </svg>
  );
}

function BoxMark({ view, from, to }: { view: View; from: Point; to: Point }) {
  const a = toScreen(view, from);
  const b = toScreen(view, to);
  return (
    <div
      className="box-mark"
      style={{
        left: Math.min(a.x, b.x),
        top: Math.min(a.y, b.y),
        width: Math.abs(a.x - b.x),
        height: Math.abs(a.y - b.y),
      }}
    />
  );
}

function Cross({ at }: { at: Point }) {
  return <div className="cross" style={{ left: at.x, top: at.y }} aria-hidden="true" />;
}
