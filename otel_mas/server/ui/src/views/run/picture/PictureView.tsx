import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { type Binding, useKeys } from "../../../keys";
import { cone } from "../../../model/focus";
import { useParams } from "../../../router";
import { useShownTheme } from "../../../theme";
import { useLatest } from "../../../ui/useLatest";
import { useSize } from "../../../ui/useSize";
import { useShared } from "../context";
import { colours } from "./colours";
import { draw } from "./draw";
import { AXIS, type Frame } from "./frame";
import { spanAt } from "./hit";
import { Legend } from "./Legend";
import { Minimap } from "./Minimap";
import { grow, scene } from "./scene";
import { Tip } from "./Tip";
import { useGestures } from "./useGestures";
import { useView } from "./useView";
import { pan, reveal, whole, zoom } from "./viewport";

const NARROW = 700;

export function PictureView() {
  const shared = useShared();
  const { run, version, selected, marked } = shared;
  const [params, change] = useParams();
  const focused = params.has("focus");
  const holder = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const { width, height } = useSize(holder);
  const theme = useShownTheme();
  const left = width < NARROW ? 84 : 150;
  // eslint-disable-next-line react/exhaustive-deps -- a new version is a changed run
  const shown = useMemo(() => scene(run, shared.now(), Math.max(0, width - left)), [run, version, width, left]);
  const [view, setView] = useView(shown.scale);
  const [top, setTop] = useState(0);
  const [hovered, setHovered] = useState<{ span: number; x: number; y: number } | null>(null);
  // eslint-disable-next-line react/exhaustive-deps
  const focus = useMemo(() => (focused && selected >= 0 ? cone(run, selected) : null), [run, version, focused, selected]);
  const total = shown.scale.total;
  const current = view ?? whole(total);
  const most = Math.max(0, shown.layout.height - (height - AXIS) + 12);

  const frame = useRef<Frame | null>(null);
  // eslint-disable-next-line react/exhaustive-deps -- the theme changes the colours of the style sheet
  const palette = useMemo(() => colours(document.documentElement), [theme]);
  useLayoutEffect(() => {
    const element = canvas.current;
    if (!element || !width) return;
    const ratio = window.devicePixelRatio || 1;
    const wide = Math.round(width * ratio);
    const high = Math.round(height * ratio);
    if (element.width !== wide || element.height !== high) {
      element.width = wide;
      element.height = high;
    }
    const context = element.getContext("2d");
    if (!context) return;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    frame.current = {
      scene: shown, view: current, top: Math.min(top, most), width, height, left, colours: palette,
      selected, hovered: hovered?.span ?? -1, focus, marked,
    };
    draw(context, frame.current);
    if (!performance.getEntriesByName("picture").length) performance.mark("picture");
  });
  useTicking(shown.run.open, () => shared.now(), shown, frame, canvas);

  // A selection made elsewhere, or by a key, is brought into view.
  const former = useRef(-1);
  useEffect(() => {
    if (selected < 0 || selected === former.current || !height) return;
    former.current = selected;
    const bar = shown.layout.barOf[selected];
    if (bar < 0) return;
    const from = shown.scale.at(run.starts[selected]);
    const to = shown.scale.at(run.end(selected, shown.now));
    setView((was) => (was ? reveal(was, from, Math.max(to, from), total) : was));
    const y = shown.layout.y[bar];
    setTop((was) => (y < was ? Math.max(0, y - 20) : y + 30 > was + height - AXIS ? y - (height - AXIS) / 2 : was));
  }, [selected, shown, run, total, height, setView]);

  const actions = useLatest<Actions>({
    zoomBy: (factor, x) => {
      const share = x === undefined ? 0.5 : (x - left) / (width - left);
      setView((was) => {
        const from = was ?? whole(total);
        const next = zoom(from, factor, from.from + share * (from.to - from.from), total);
        return next.to - next.from >= (whole(total).to - whole(total).from) * 0.999 ? null : next;
      });
    },
    panBy: (dx, dy) => {
      setView((was) => (was ? pan(was, (dx / (width - left)) * (was.to - was.from), total) : was));
      if (dy) setTop((was) => Math.min(most, Math.max(0, was + dy)));
    },
  });
  useGestures(canvas, actions, {
    scrolls: () => most > 0,
    hover: (x, y) => {
      const span = frame.current ? spanAt(frame.current, x, y) : -1;
      setHovered((was) => (span < 0 ? null : was?.span === span ? was : { span, x, y }));
    },
    leave: () => setHovered(null),
    click: (x, y) => shared.select(frame.current ? spanAt(frame.current, x, y) : -1),
  });
  useKeys(useMemo<Binding[]>(() => keys(actions, () => setView(null), () => toggle(change, focused)), [actions, change, focused, setView]));

  return (
    <div className="picture">
      <Minimap scene={shown} view={current} onView={setView} theme={theme} />
      <div ref={holder} className="canvas-holder">
        <canvas
          ref={canvas}
          role="img"
          aria-label={describe(run, shown.layout.lanes.length)}
          className={hovered ? "over" : ""}
        />
        {hovered && <Tip span={hovered.span} x={hovered.x} y={hovered.y} width={width} height={height} />}
      </div>
      <Legend
        scene={shown}
        focused={focused}
        canFocus={selected >= 0}
        onFocus={() => toggle(change, focused)}
        onZoom={(factor) => actions.current.zoomBy(factor)}
        onWhole={() => setView(null)}
      />
    </div>
  );
}

function describe(run: { size: number; labels: string[] }, lanes: number): string {
  return `Causal picture: ${run.size} spans in ${lanes} lanes, time from left to right. The view Tree has the same as a table.`;
}

function toggle(change: (changes: Record<string, string | null>) => void, focused: boolean): void {
  change({ focus: focused ? null : "1" });
}

interface Actions { 
  zoomBy: (factor: number, x?: number) => void;
  panBy: (dx: number, dy: number) => void;
}

function keys(actions: { current: Actions }, fit: () => void, focus: () => void): Binding[] {
  const group = "Picture";
  const by = () => actions.current;
  return [
    { keys: ["+", "=", "w"], description: "zoom in (also Ctrl and the wheel, or a pinch)", group, run: () => by().zoomBy(0.7) },
    { keys: ["-", "s"], description: "zoom out", group, run: () => by().zoomBy(1 / 0.7) },
    { keys: ["0"], description: "all of the run", group, run: fit },
    { keys: ["a"], description: "pan left (also by dragging)", group, run: () => by().panBy(-120, 0) },
    { keys: ["d"], description: "pan right", group, run: () => by().panBy(120, 0) },
    { keys: ["ArrowUp", "k"], description: "scroll up", group, run: () => by().panBy(0, -60) },
    { keys: ["ArrowDown", "j"], description: "scroll down", group, run: () => by().panBy(0, 60) },
    { keys: ["f"], description: "only causes and effects of the selection", group, run: focus },
  ];
}

/** While something runs its bars grow, with no event and no new layout. */
function useTicking(
  open: boolean,
  now: () => number,
  shown: ReturnType<typeof scene>,
  frame: { current: Frame | null },
  canvas: { current: HTMLCanvasElement | null },
): void {
  const latest = useLatest(now);
  useEffect(() => {
    if (!open) return;
    let request = 0;
    let last = 0;
    const tick = (at: number) => {
      request = window.requestAnimationFrame(tick);
      if (at - last < 50) return;
      last = at;
      grow(shown, latest.current());
      const context = canvas.current?.getContext("2d");
      if (context && frame.current) draw(context, frame.current);
    };
    request = window.requestAnimationFrame(tick);
    return () => window.cancelAnimationFrame(request);
  }, [open, shown, frame, canvas, latest]);
}
