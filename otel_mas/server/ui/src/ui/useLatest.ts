import { type RefObject, useLayoutEffect, useRef } from "react";

/** A value for handlers that outlive the render that made them. */
export function useLatest<T>(value: T): RefObject<T> {
  const latest = useRef(value);
  useLayoutEffect(() => {
    latest.current = value;
  });
  return latest;
}
