import { type ReactNode, useEffect, useRef, useState } from "react";

interface Props {
  className: string;
  /** How far from being in sight is near enough, as CSS has margins. */
  margin?: string;
  children: ReactNode;
}

/** A place whose content is made when it first comes into sight. */
export function OnSight({ className, margin = "0px", children }: Props) {
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
      { rootMargin: margin },
    );
    observer.observe(place.current);
    return () => observer.disconnect();
  }, [margin]);
  return (
    <div className={className} ref={place}>
      {seen && children}
    </div>
  );
}
