import { lazy, Suspense, useMemo, useState } from "react";
import { type Binding, useKeys } from "./keys";
import { navigate, route, usePath } from "./router";
import { cycleTheme, useTheme } from "./theme";
import { ErrorBoundary } from "./ui/ErrorBoundary";
import { Help } from "./ui/Help";
import { Link } from "./ui/Link";
import { Empty, Loading } from "./ui/states";
import { useInfo } from "./ui/useInfo";
import { RunView } from "./views/run/RunView";
import { RunsView } from "./views/runs/RunsView";

const CompareView = lazy(() => import("./views/compare/CompareView").then((m) => ({ default: m.CompareView })));
const AgentsView = lazy(() => import("./views/agents/AgentsView").then((m) => ({ default: m.AgentsView })));

export function App() {
  const path = usePath();
  const [help, setHelp] = useState(false);
  useKeys(
    useMemo<Binding[]>(
      () => [
        { keys: ["?"], description: "this help", group: "Everywhere", run: () => setHelp((shown) => !shown) },
        { keys: ["r"], description: "runs", group: "Everywhere", run: () => navigate("/") },
        { keys: ["t"], description: "light, dark, or as the system", group: "Everywhere", run: cycleTheme },
        {
          keys: ["/"],
          description: "search",
          group: "Everywhere",
          run: () => document.querySelector<HTMLInputElement>("input[type=search]")?.focus(),
        },
        {
          keys: ["Escape"],
          description: "close, or leave a field",
          group: "Everywhere",
          run: () => {
            setHelp(false);
            if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
          },
        },
      ],
      [],
    ),
  );
  return (
    <div className="app">
      <a className="skip" href="#main">
        Skip to the content
      </a>
      <Header path={path} onHelp={() => setHelp(true)} />
      <main id="main" tabIndex={-1}>
        <ErrorBoundary key={path}>
          <Suspense fallback={<Loading what="the view" />}>
            <Shown path={path} />
          </Suspense>
        </ErrorBoundary>
      </main>
      {help && <Help onClose={() => setHelp(false)} />}
    </div>
  );
}

function Shown({ path }: { path: string }) {
  const to = route(path);
  switch (to.view) {
    case "runs":
      return <RunsView />;
    case "run":
      return <RunView key={path} kind="traces" id={to.trace} />;
    case "conversation":
      return <RunView key={path} kind="conversations" id={to.thread} />;
    case "compare":
      return <CompareView />;
    case "agents":
      return <AgentsView />;
    default:
      return (
        <Empty title="There is no such page.">
          <Link to="/">All runs</Link>
        </Empty>
      );
  }
}

function Header({ path, onHelp }: { path: string; onHelp: () => void }) {
  const info = useInfo();
  const [theme, cycle] = useTheme();
  const link = (to: string, text: string, here: boolean) => (
    <Link to={to} className={here ? "here" : ""} aria-current={here ? "page" : undefined}>
      {text}
    </Link>
  );
  return (
    <header className="bar">
      <Link to="/" className="brand">
        otel-mas
      </Link>
      <nav aria-label="Views">
        {link("/", "Runs", path === "/" || path.startsWith("/traces") || path.startsWith("/conversations"))}
        {link("/agents", "Agents", path === "/agents")}
        {link("/compare", "Compare", path === "/compare")}
      </nav>
      <span className="source dim" title={info?.location ?? ""}>
        {info && !info.receiving ? "read only" : ""}
      </span>
      <button type="button" className="plain" onClick={cycle} aria-label={`Colours: ${theme}`} title={`Colours: ${theme} (t)`}>
        {theme === "dark" ? "☾" : theme === "light" ? "☀" : "◐"}
      </button>
      <button type="button" className="plain" onClick={onHelp} aria-label="Keyboard help" title="Keyboard (?)">
        ?
      </button>
    </header>
  );
}
