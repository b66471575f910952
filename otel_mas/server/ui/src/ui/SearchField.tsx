import { useEffect, useState } from "react";
import { useParams } from "../router";

const PAUSE_MS = 200;

/** A field whose text is a parameter of the address, once the typing pauses. */
export function SearchField({ name, label }: { name: string; label: string }) {
  const [params, change] = useParams();
  const value = params.get(name) ?? "";
  const [typed, setTyped] = useState(value);
  useEffect(() => setTyped(value), [value]);
  useEffect(() => {
    if (typed === value) return;
    const timer = window.setTimeout(() => change({ [name]: typed || null }), PAUSE_MS);
    return () => window.clearTimeout(timer);
    // eslint-disable-next-line react/exhaustive-deps -- only typing starts the pause
  }, [typed]);
  return (
    <input type="search" value={typed} placeholder={label} aria-label={label} spellCheck={false} onChange={(event) => setTyped(event.target.value)} />
  );
}
