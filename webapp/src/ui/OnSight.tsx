import { type ReactNode, useEffect, useRef, useState } from "react";

interface Props {
  className: string;
  /** How far from being in sight is near enough, as CSS has margins. */
  margin?: string;
  /** How much of it has to be, from 0 to 1. */
  share?: number;
  children: ReactNode;
}

/** A place whose content is made when it first comes into sight. */
export function OnSight({ className, margin = "0px", share = 0, children }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const [seen, setSeen] = useState(false);
  useEffect(() => {
    if (!place.current) return;
    const observer = new IntersectionObserver(
      ([entry]) => {
        if (!entry?.isIntersecting) return;
        setSeen(true);
        observer.disconnect();
      },
      { rootMargin: margin, threshold: share },
    );
    observer.observe(place.current);
    return () => observer.disconnect();
  }, [margin, share]);
  return (
    <div className={className} ref={place}>
      {seen && children}
    </div>
  );
}
