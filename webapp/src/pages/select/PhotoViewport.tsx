import {
  type CSSProperties,
  type ReactNode,
  type RefObject,
  useEffect,
  useRef,
  useState,
} from "react";
import type { Size } from "../../selection/mask";
import { colourOf, css } from "../../selection/overlay";
import { activeObject, type Point, type Selection } from "../../selection/selection";
import { fitView, toScreen, type View, zoomAt } from "../../selection/view";
import type { ShownMask } from "./masks";
import { Overlay } from "./Overlay";
import { type Gesture, type Tool, useGestures, type ViewportActions } from "./useGestures";

interface Props extends ViewportActions {
  photo: Size & { url: string; name: string };
  selection: Selection;
  masks: readonly ShownMask[];
  tool: Tool;
  brush: number;
  busy: boolean;
  /** Told when a gesture begins and when it has ended. */
  onGesture(underWay: boolean): void;
  children?: ReactNode;
  /** Filled with what the zoom buttons call. */
  zoom: RefObject<Zoom | null>;
}

export interface Zoom {
  by(factor: number): void;
  reset(): void;
}

/** The photo with its masks and points; pans, zooms, and turns gestures into actions. */
export function PhotoViewport(props: Props) {
  const { photo, selection, masks, tool, busy, zoom, onGesture } = props;
  const viewport = useRef<HTMLDivElement>(null);
  const size = useSize(viewport);
  const [view, setView] = useView(size, photo);
  const { gesture, cursor, handlers } = useGestures(viewport, size, view, setView, props);
  const active = activeObject(selection);
  const colour = css(colourOf(selection.objects.indexOf(active)));

  const underWay = gesture !== null;
  useEffect(() => onGesture(underWay), [onGesture, underWay]);

  useEffect(() => {
    const middle = { x: size.width / 2, y: size.height / 2 };
    zoom.current = {
      // About the cross, so that it stays in sight.
      by: (factor) =>
        setView((before) => {
          const at = cursor ? toScreen(before, cursor) : middle;
          return zoomAt(before, factor, at, size, photo);
        }),
      reset: () => setView(fitView(size, photo)),
    };
  }, [zoom, size, photo, cursor, setView]);

  return (
    <div
      ref={viewport}
      className={`viewport viewport-${gesture?.kind === "pan" ? "pan" : tool}`}
      role="application"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: an application is interactive by itself.
      tabIndex={0}
      aria-label="Photo. Arrow keys move the cross, Enter adds the part under it, Backspace takes it out."
      aria-busy={busy}
      style={{ "--object": colour } as CSSProperties}
      {...handlers}
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
        <Overlay masks={masks} activeIndex={selection.objects.indexOf(active)} />
      </div>
      <Marks gesture={gesture} view={view} brush={props.brush} erase={tool === "erase"} />
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
            aria-label={`Take away point ${index + 1} (${click.label ? "object" : "background"})`}
            onClick={() => props.onRemoveClick(index)}
          />
        );
      })}
      {cursor && <Cross at={toScreen(view, cursor)} />}
      {props.children}
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
  erase: boolean;
}

/** What is being drawn just now. */
function Marks({ gesture, view, brush, erase }: MarksProps) {
  if (gesture?.kind === "box") return <BoxMark view={view} from={gesture.from} to={gesture.to} />;
  if (gesture?.kind !== "brush") return null;
  const points = gesture.path.map((point) => toScreen(view, point));
  return (
    <svg className="stroke" aria-hidden="true">
      <polyline
        className={erase ? "stroke-erase" : "stroke-add"}
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

function useSize(element: RefObject<HTMLElement | null>): Size {
  const [size, setSize] = useState<Size>({ width: 1, height: 1 });
  useEffect(() => {
    const observed = element.current;
    if (!observed) return;
    const observer = new ResizeObserver(() =>
      setSize({ width: observed.clientWidth || 1, height: observed.clientHeight || 1 }),
    );
    observer.observe(observed);
    return () => observer.disconnect();
  }, [element]);
  return size;
}

/** The view, fitted anew whenever the viewport changes its size. */
function useView(size: Size, photo: Size) {
  const [view, setView] = useState(() => fitView(size, photo));
  const { width, height } = photo;
  useEffect(() => setView(fitView(size, { width, height })), [size, width, height]);
  return [view, setView] as const;
}
