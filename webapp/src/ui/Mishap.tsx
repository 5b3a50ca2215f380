import { Component, type ReactNode } from "react";
import { ErrorNote } from "./ErrorNote";

interface Props {
  children: ReactNode;
}

/** Shows a fault of ours instead of an empty page. */
export class Mishap extends Component<Props, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override render() {
    if (!this.state.failed) return this.props.children;
    const error = new Error("This page stopped working. Reload it; what you did is kept.");
    return (
      <div className="page narrow">
        <ErrorNote error={error}>
          <button type="button" className="button" onClick={() => window.location.reload()}>
            Reload
          </button>
        </ErrorNote>
      </div>
    );
  }
}
