/** The part of the axis that is in view, in units of the time scale, and how zooming and panning change it. */

export interface View {
  from: number;
  to: number;
}

const LEAST = 50;
const BEYOND = 0.02;

export function whole(total: number): View {
  return { from: -total * BEYOND * 0.25, to: total * (1 + BEYOND) };
}

/** Zoom by a factor (below 1: in) around a place. */
export function zoom(view: View, factor: number, around: number, total: number): View {
  const all = whole(total);
  const size = Math.min(Math.max((view.to - view.from) * factor, Math.min(LEAST, total)), all.to - all.from);
  const share = (around - view.from) / (view.to - view.from);
  return clamp({ from: around - share * size, to: around + (1 - share) * size }, total);
}

export function pan(view: View, by: number, total: number): View {
  return clamp({ from: view.from + by, to: view.to + by }, total);
}

/** Show an interval with room around; the size stays when it fits. */
export function reveal(view: View, from: number, to: number, total: number): View {
  const size = view.to - view.from;
  if (from >= view.from && to <= view.to) return view;
  if (to - from > size * 0.9) {
    const room = (to - from) * 0.15;
    return clamp({ from: from - room, to: to + room }, total);
  }
  const middle = (from + to) / 2;
  return clamp({ from: middle - size / 2, to: middle + size / 2 }, total);
}

function clamp(view: View, total: number): View {
  const all = whole(total);
  const size = Math.min(view.to - view.from, all.to - all.from);
  const from = Math.min(Math.max(view.from, all.from), all.to - size);
  return { from, to: from + size };
}
