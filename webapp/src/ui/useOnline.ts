import { useEffect, useEffectEvent } from "react";

/** Call back when the connection is there again, while that is waited for. */
export function useOnline(waiting: boolean, back: () => void): void {
  const again = useEffectEvent(back);
  useEffect(() => {
    if (!waiting) return;
    const listener = () => again();
    window.addEventListener("online", listener);
    return () => window.removeEventListener("online", listener);
  }, [waiting]);
}
