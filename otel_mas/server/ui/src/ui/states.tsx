/** Loading, empty, failed: each says what it is about, and what to do. */
import type { ReactNode } from "react";
import type { ApiError } from "../api/client";

export function Loading({ what }: { what: string }) {
  return (
    <p className="state dim" role="status">
      Loading {what} …
    </p>
  );
}

export function Failed({ error, retry }: { error: ApiError; retry?: () => void }) {
  return (
    <div className="state" role="alert">
      <p className="bad">{error.message}</p>
      {retry && (
        <button type="button" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  );
}

export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="state empty">
      <h2>{title}</h2>
      <div>{children}</div>
    </div>
  );
}

/** What is wrong with what is shown, in words of the server. */
export function Problems({ problems }: { problems: readonly string[] }) {
  if (!problems.length) return null;
  return (
    <details className="problems">
      <summary>
        {problems.length === 1 ? "One thing is" : `${problems.length} things are`} wrong with this recording
      </summary>
      <ul>
        {problems.map((problem) => (
          <li key={problem}>{problem}</li>
        ))}
      </ul>
    </details>
  );
}
