import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, describe, expect, it } from "vitest";
import { ApiError } from "../src/api/client";
import { Run } from "../src/model/run";
import { ErrorBoundary } from "../src/ui/ErrorBoundary";
import { Failed } from "../src/ui/states";
import { Status } from "../src/ui/Status";
import { RunContext, type Shared } from "../src/views/run/context";
import { Messages } from "../src/views/run/drawer/Messages";
import { Text } from "../src/views/run/drawer/Text";
import { SpanLink } from "../src/views/run/SpanLink";
import { RunsTable } from "../src/views/runs/RunsTable";
import { picture, trace } from "./make";

const HOSTILE = '<script>alert(1)</script><img src=x onerror="alert(2)">';

afterEach(cleanup);

function shared(chosen: string[] = []): Shared {
  const run = Run.fromDocument(picture([{ id: "a", lane: "x", start: 0 }]));
  return {
    run, version: 0, revision: 1, base: "/traces/t", suffix: "", selected: -1, select: () => undefined,
    selectId: (id) => chosen.push(id), marked: new Set(), now: () => 0,
  };
}

describe("the table of runs", () => {
  it("has what a model wrote as text", () => {
    const { container } = render(<RunsTable traces={[trace("a", { name: HOSTILE, agents: [HOSTILE], error_message: HOSTILE, error_count: 1 })]} at={-1} />);
    expect(container.querySelector("script, img")).toBeNull();
    expect(container.textContent).toContain("<script>alert(1)</script>");
  });

  it("leads to the run and to its conversation", () => {
    render(<RunsTable traces={[trace("a", { conversation_id: "a/b c" })]} at={0} />);
    const links = screen.getAllByRole("link").map((link) => link.getAttribute("href"));
    expect(links).toEqual([`/traces/${"a".padEnd(32, "0")}`, "/conversations/a%2Fb%20c?service=team"]);
    expect(screen.getAllByRole("row")[1].className).toContain("current");
  });
});

it.each([
  ["running", "running"], ["interrupted", "waits for a person"], ["ok", "done"], ["error", "failed"], ["unheard", "unheard"],
])("status %s reads %s", (status, text) => {
  render(<Status trace={{ status, overdue: null }} />);
  expect(screen.getByText(text)).toBeTruthy();
});

describe("long text", () => {
  it("is shown in part until it is asked for", () => {
    render(<Text text={"x".repeat(10_000)} />);
    expect(document.querySelector("bdi")?.textContent).toHaveLength(4_000);
    fireEvent.click(screen.getByRole("button"));
    expect(document.querySelector("bdi")?.textContent).toHaveLength(10_000);
  });

  it("of a megabyte never is there whole", () => {
    render(<Text text={"x".repeat(1_000_000)} />);
    fireEvent.click(screen.getByRole("button"));
    expect(document.querySelector("bdi")?.textContent).toHaveLength(200_000);
    expect(document.body.textContent).toContain("1,000,000 characters");
  });
});

it("messages are a conversation: what was read, then what was written, with calls of tools", () => {
  const message = (role: string, text: string) => ({ digest: text, role, text, body: null });
  render(
    <RunContext value={shared()}>
      <Messages
        read={Array.from({ length: 9 }, (_, i) => message("user", `question ${i}`))}
        wrote={[{ digest: "w", role: "assistant", text: "", body: { parts: [{ type: "tool_call", name: "search", arguments: {} }] } }]}
      />
    </RunContext>,
  );
  expect(screen.queryByText("question 0")).toBeNull();
  expect(screen.getByText("question 8")).toBeTruthy();
  expect(screen.getByText("search")).toBeTruthy();
  fireEvent.click(screen.getByText("3 earlier messages"));
  expect(screen.getByText("question 0")).toBeTruthy();
});

it("a span of this run can be gone to, one of another cannot", () => {
  const chosen: string[] = [];
  render(
    <RunContext value={shared(chosen)}>
      <SpanLink id="a" label="mine" />
      <SpanLink id="elsewhere" label="theirs" />
    </RunContext>,
  );
  fireEvent.click(screen.getByRole("button"));
  expect(chosen).toEqual(["a"]);
  expect(screen.getAllByRole("button")).toHaveLength(1);
});

it("an error tells its reason, and can be tried again", () => {
  let again = 0;
  render(<Failed error={new ApiError("unreachable", "The server does not answer.", 0)} retry={() => again++} />);
  expect(screen.getByRole("alert").textContent).toContain("The server does not answer.");
  fireEvent.click(screen.getByRole("button"));
  expect(again).toBe(1);
});

it("a view that fails leaves the page alive", () => {
  const Broken = () => {
    throw new Error("out of paper");
  };
  render(
    <ErrorBoundary>
      <Broken />
    </ErrorBoundary>,
  );
  expect(screen.getByRole("alert").textContent).toContain("out of paper");
});
