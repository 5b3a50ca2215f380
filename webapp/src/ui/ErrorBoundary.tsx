import { Component, type ReactNode } from "react";
import { errors } from "../texts/en/errors";
import { useTexts } from "../texts/texts";
import { ErrorNote } from "./ErrorNote";
import { useNewer } from "./NewVersion";
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
  const t = useTexts(errors);
  const newer = useNewer();
  return (
    <div className="page narrow error-boundary">
      <ErrorNote error={new Error(newer ? t.newer : t.stopped)}>
        <Reload />
      </ErrorNote>
    </div>
  );
}
