import { Component, type ReactNode } from "react";

/** A view that fails says so, and leaves the rest of the page alive. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { failure: Error | null }> {
  override state: { failure: Error | null } = { failure: null };

  static getDerivedStateFromError(failure: Error) {
    return { failure };
  }

  override render() {
    const { failure } = this.state;
    if (!failure) return this.props.children;
    return (
      <div className="state" role="alert">
        <h2>This view failed</h2>
        <p>The page itself has a fault: {failure.message}</p>
        <button type="button" onClick={() => window.location.reload()}>
          Load the page again
        </button>
      </div>
    );
  }
}
