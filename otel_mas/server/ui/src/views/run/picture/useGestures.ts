/** Wheel, pinch, drag and click on the canvas. */
import { type RefObject, useEffect } from "react";
import { useLatest } from "../../../ui/useLatest";

interface Actions {
  zoomBy: (factor: number, x?: number) => void;
  panBy: (dx: number, dy: number) => void;
}

interface Handlers {
  /** Whether there is more of the picture below or above: then the bare wheel scrolls, else it zooms. */
  scrolls: () => boolean;
  hover: (x: number, y: number) => void;
  leave: () => void;
  click: (x: number, y: number) => void;
}

const MOVED = 4;

export function useGestures(canvas: RefObject<HTMLCanvasElement | null>, actions: { current: Actions }, handlers: Handlers): void {
  const latest = useLatest(handlers);
  useEffect(() => {
    const element = canvas.current;
    if (!element) return;
    const pointers = new Map<number, { x: number; y: number }>();
    let moved = 0;
    const wheel = (event: WheelEvent) => {
      event.preventDefault();
      const lines = event.deltaMode === 1 ? 18 : 1;
      const [dx, dy] = [event.deltaX * lines, event.deltaY * lines];
      if (event.ctrlKey || event.metaKey || (!event.shiftKey && dx === 0 && !latest.current.scrolls()))
        actions.current.zoomBy(Math.exp(Math.max(-0.6, Math.min(0.6, dy * (event.ctrlKey ? 0.01 : 0.0025)))), event.offsetX);
      else if (event.shiftKey) actions.current.panBy(dx || dy, 0);
      else actions.current.panBy(dx, dy);
    };
    const down = (event: PointerEvent) => {
      element.setPointerCapture(event.pointerId);
      pointers.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
      moved = pointers.size > 1 ? MOVED + 1 : 0;
    };
    const move = (event: PointerEvent) => {
      const was = pointers.get(event.pointerId);
      if (!was) {
        latest.current.hover(event.offsetX, event.offsetY);
        return;
      }
      const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
      const [dx, dy] = [event.offsetX - was.x, event.offsetY - was.y];
      moved += Math.abs(dx) + Math.abs(dy);
      if (other) {
        const before = Math.hypot(was.x - other.x, was.y - other.y);
        const after = Math.hypot(event.offsetX - other.x, event.offsetY - other.y);
        if (before > 10 && after > 10) actions.current.zoomBy(before / after, (other.x + event.offsetX) / 2);
      } else if (moved > MOVED) {
        latest.current.leave();
        actions.current.panBy(-dx, -dy);
      }
      pointers.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
    };
    const up = (event: PointerEvent) => {
      if (pointers.delete(event.pointerId) && moved <= MOVED && event.type === "pointerup")
        latest.current.click(event.offsetX, event.offsetY);
    };
    const leave = () => latest.current.leave();
    element.addEventListener("wheel", wheel, { passive: false });
    element.addEventListener("pointerdown", down);
    element.addEventListener("pointermove", move);
    element.addEventListener("pointerup", up);
    element.addEventListener("pointercancel", up);
    element.addEventListener("pointerleave", leave);
    return () => {
      element.removeEventListener("wheel", wheel);
      element.removeEventListener("pointerdown", down);
      element.removeEventListener("pointermove", move);
      element.removeEventListener("pointerup", up);
      element.removeEventListener("pointercancel", up);
      element.removeEventListener("pointerleave", leave);
    };
  }, [canvas, actions, latest]);
}
