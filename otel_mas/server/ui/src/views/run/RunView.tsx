import { lazy, Suspense, useCallback, useEffect, useMemo } from "react";
import { query } from "../../api/client";
import type { TraceForm } from "../../api/types";
import { useJson } from "../../api/useJson";
import { type Binding, useKeys } from "../../keys";
import { causeOf, effectOf } from "../../model/focus";
import { useParams } from "../../router";
import { Empty, Failed, Loading, Problems } from "../../ui/states";
import { Link } from "../../ui/Link";
import { RunContext, type Shared } from "./context";
import { Drawer } from "./drawer/Drawer";
import { Heading } from "./Heading";
import { PictureView } from "./picture/PictureView";
import { Tabs, VIEWS } from "./Tabs";
import { useFindings } from "./useFindings";
import { useRun } from "./useRun";

const Tree = lazy(() => import("./tree/TreeView").then((m) => ({ default: m.TreeView })));
const Sequence = lazy(() => import("./sequence/SequenceView").then((m) => ({ default: m.SequenceView })));
const Mission = lazy(() => import("./mission/MissionView").then((m) => ({ default: m.MissionView })));
const Log = lazy(() => import("./log/LogView").then((m) => ({ default: m.LogView })));
const Path = lazy(() => import("./path/PathView").then((m) => ({ default: m.PathView })));
const Findings = lazy(() => import("./findings/FindingsView").then((m) => ({ default: m.FindingsView })));
const Cost = lazy(() => import("./cost/CostView").then((m) => ({ default: m.CostView })));
const COMPONENTS = {
  picture: PictureView, tree: Tree, messages: Sequence, mission: Mission, log: Log, path: Path, findings: Findings, cost: Cost,
} as const;

const MOST_SPANS_AT_ONCE = 20_000;

interface Props {
  kind: "traces" | "conversations";
  id: string;
}

export function RunView({ kind, id }: Props) {
  const [params, change] = useParams();
  const service = kind === "conversations" ? params.get("service") : null;
  const suffix = query({ service });
  const base = `/${kind}/${encodeURIComponent(id)}`;
  const live = useRun(base, suffix);
  const summary = useJson<TraceForm>(kind === "traces" ? base : null, live.revision);
  // Of very long runs findings take the server seconds in which it answers nothing else about the run.
  const wanted = (live.run?.size ?? 0) <= MOST_SPANS_AT_ONCE || params.get("view") === "findings";
  const findings = useFindings(base, suffix, wanted ? live.revision : 0);
  const { run, version } = live;
  const selected = run?.index.get(params.get("span") ?? "") ?? -1;
  const view = VIEWS.find((one) => one.id === params.get("view"))?.id ?? "picture";

  const select = useCallback(
    (span: number, push = false) => change({ span: span < 0 || !run ? null : run.ids[span] }, push),
    [run, change],
  );
  const selectId = useCallback((span: string) => change({ span }), [change]);
  const marked = useMemo(() => {
    const found = new Set<number>();
    for (const finding of findings.data?.findings ?? [])
      for (const span of finding.spans) {
        const at = run?.index.get(span);
        if (at !== undefined) found.add(at);
      }
    return found;
  }, [findings.data, run]);
  const shared = useMemo<Shared | null>(
    () =>
      run && {
        run, version, revision: live.revision, base, suffix, selected, select, selectId, marked,
        now: () => run.offset(BigInt(Date.now()) * 1_000_000n),
      },
    [run, version, live.revision, base, suffix, selected, select, selectId, marked],
  );
  useKeys(useMemo(() => bindings(shared, change), [shared, change]));
  useEffect(() => {
    document.title = `${summary.data?.name ?? id.slice(0, 8)} · otel-mas`;
  }, [summary.data, id]);

  if (!shared) {
    if (!live.error) return <Loading what="the run" />;
    if (live.error.status !== 404) return <Failed error={live.error} retry={live.reload} />;
    return (
      <Empty title="This run is not in the store.">
        <p>{live.error.message}</p>
        <Link to="/">All runs</Link>
      </Empty>
    );
  }
  const Shown = COMPONENTS[view];
  return (
    <RunContext value={shared}>
      <div className={selected >= 0 ? "run with-drawer" : "run"}>
        <section className="run-main">
          <Heading kind={kind} id={id} summary={summary.data} connection={live.connection} error={live.error} />
          <Tabs view={view} findings={findings.data?.findings.length ?? 0} />
          <Problems problems={shared.run.problems} />
          <div className={`view view-${view}`} id="view" role="tabpanel" aria-label={view}>
            <Suspense fallback={<Loading what={view} />}>
              <Shown />
            </Suspense>
          </div>
        </section>
        {selected >= 0 && <Drawer onClose={() => select(-1)} />}
      </div>
    </RunContext>
  );
}

function bindings(shared: Shared | null, change: ReturnType<typeof useParams>[1]): Binding[] {
  if (!shared) return [];
  const { run, selected, select, marked } = shared;
  const group = "Run";
  const step = (spans: readonly number[], by: number) => {
    if (!spans.length) return;
    const at = spans.indexOf(selected);
    select(spans[(at + by + spans.length + (at < 0 && by < 0 ? 1 : 0)) % spans.length]);
  };
  const path = () => [...new Set(run.path.filter((one) => one.span >= 0).map((one) => one.span))];
  const failed = () => {
    const found: number[] = [];
    for (let i = 0; i < run.size; i++) if (run.errors[i]) found.push(i);
    return found;
  };
  return [
    ...VIEWS.map((one, at) => ({
      keys: [String(at + 1)],
      description: one.title.toLowerCase(),
      group: "Views of a run",
      run: () => change({ view: at === 0 ? null : one.id }),
    })),
    { keys: ["ArrowLeft"], description: "its cause: what it waited for", group, run: () => selected >= 0 && go(causeOf(run, selected)) },
    { keys: ["ArrowRight"], description: "its first effect", group, run: () => (selected >= 0 ? go(effectOf(run, selected)) : select(run.roots[0] ?? -1)) },
    { keys: ["u"], description: "the span around it", group, run: () => selected >= 0 && go(run.parents[selected]) },
    { keys: ["p"], description: "next step of the critical path", group, run: () => step(path(), 1) },
    { keys: ["P"], description: "step before on the critical path", group, run: () => step(path(), -1) },
    { keys: ["e"], description: "next error", group, run: () => step(failed(), 1) },
    { keys: ["n"], description: "next span that shows a finding", group, run: () => step([...marked].sort((a, b) => a - b), 1) },
    { keys: ["Escape"], description: "close the span, or leave a field", group: "Everywhere", run: leave },
  ];

  function go(to: number): void {
    if (to >= 0) select(to);
  }
  function leave(): void {
    const focused = document.activeElement;
    if (focused instanceof HTMLElement && focused.matches("input, select, textarea")) focused.blur();
    else change({ span: null, focus: null });
  }
}
