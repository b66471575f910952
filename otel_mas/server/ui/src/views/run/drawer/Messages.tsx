import { useState } from "react";
import type { Message } from "../../../api/types";
import { useShared } from "../context";
import { parts } from "./parts";
import { Text } from "./Text";

const NEWEST = 6;

/** Messages as a conversation: what was read, then what was written. */
export function Messages({ read, wrote }: { read: Message[]; wrote: Message[] }) {
  const [all, setAll] = useState(false);
  const shown = all ? read : read.slice(-NEWEST);
  return (
    <ol className="messages">
      {shown.length < read.length && (
        <li>
          <button type="button" className="link" onClick={() => setAll(true)}>
            {read.length - shown.length} earlier messages
          </button>
        </li>
      )}
      {shown.map((message, at) => (
        <One key={`read${read.length - shown.length + at}`} message={message} />
      ))}
      {wrote.map((message, at) => (
        // eslint-disable-next-line react/no-array-index-key -- the same message may come twice
        <One key={`wrote${at}`} message={message} wrote />
      ))}
    </ol>
  );
}

function One({ message, wrote = false }: { message: Message; wrote?: boolean }) {
  const { run } = useShared();
  const found = parts(message);
  return (
    <li className={`message ${role(message.role)} ${wrote ? "wrote" : ""}`}>
      <header>
        <b>{message.role}</b>
        {wrote && <span className="dim">written here</span>}
        {run.size > 0 && message.text === null && <span className="dim">content was not kept</span>}
      </header>
      {found.map((part, at) =>
        part.kind === "text" ? (
          // eslint-disable-next-line react/no-array-index-key -- parts have no identity
          <p key={at}>
            <Text text={part.text} />
          </p>
        ) : (
          // eslint-disable-next-line react/no-array-index-key
          <div key={at} className="call">
            <span className="tool-name">
              {part.kind === "call" ? "calls" : "result of"} <b>{part.name}</b>
            </span>
            <Text text={part.text} code />
          </div>
        ),
      )}
    </li>
  );
}

const role = (name: string) => (["user", "assistant", "tool", "system"].includes(name) ? name : "other");
