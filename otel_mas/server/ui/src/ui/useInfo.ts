import { useEffect, useState } from "react";
import { getJson } from "../api/client";
import type { Info } from "../api/types";

let asked: Promise<Info | null> | null = null;

/** What is served: asked once for the whole page. */
export function info(): Promise<Info | null> {
  asked ??= getJson<Info>("/info").catch(() => {
    asked = null;
    return null;
  });
  return asked;
}

export function useInfo(): Info | null {
  const [found, setFound] = useState<Info | null>(null);
  useEffect(() => {
    let current = true;
    void info().then((answer) => {
      if (current) setFound(answer);
    });
    return () => {
      current = false;
    };
  }, []);
  return found;
}
