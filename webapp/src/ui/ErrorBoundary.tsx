import { Component, type ReactNode } from "react";
import { ErrorNote } from "./ErrorNote";
import { NEWER, useNewer } from "./NewVersion";
import { Reload } from "./Reload";

interface Props {
  children: ReactNode;
}

/** Shows a fault of ours instead of an empty page. */
export class ErrorBoundary extends Component<Props, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override render() {
    return this.state.failed ? <Stopped /> : this.props.children;
  }
}

function Stopped() {
  const newer = useNewer();
  const error = new Error("This page stopped working. Reload it; what you did is kept.");
  return (
    <div className="page narrow error-boundary">
      <ErrorNote error={newer ? NEWER : error}>
        <Reload />
      </ErrorNote>
    </div>
  );
}
