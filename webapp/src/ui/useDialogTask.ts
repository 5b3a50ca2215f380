import { useRef, useState } from "react";

/** What a dialog asks about: done once at a time, and what became of it told in that dialog alone. */
export function useDialogTask(close: () => void) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const working = useRef(false);
  const asked = useRef(0);

  async function work(task: () => Promise<unknown>): Promise<void> {
    if (working.current) return;
    working.current = true;
    const mine = asked.current;
    setBusy(true);
    setError(null);
    try {
      await task();
      if (mine === asked.current) close();
    } catch (failure) {
      if (mine === asked.current) setError(failure);
    } finally {
      working.current = false;
      setBusy(false);
    }
  }

  function leave(): void {
    asked.current++;
    setError(null);
    close();
  }

  return { work, leave, busy, error };
}
