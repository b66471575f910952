import { useState } from "react";

const FIRST = 4_000;
/** What is shown at most: a browser lays out a megabyte of text slowly; the whole is in Raw OTLP and the API. */
const MOST = 200_000;

/** Text of any length as text, its own line breaks kept, its direction kept to itself. */
export function Text({ text, code = false }: { text: string; code?: boolean }) {
  const [whole, setWhole] = useState(false);
  const shown = text.slice(0, whole ? MOST : FIRST);
  return (
    <>
      {code ? (
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls can be scrolled by keys
        <div className="text code" dir="auto" tabIndex={0} role="group" aria-label="Content">
          {shown}
        </div>
      ) : (
        <bdi className="text">{shown}</bdi>
      )}
      {shown.length < text.length &&
        (whole ? (
          <span className="dim">… cut here: {text.length.toLocaleString("en")} characters in all</span>
        ) : (
          <button type="button" className="link" onClick={() => setWhole(true)}>
            … show {text.length > MOST ? "more" : "all"} of {text.length.toLocaleString("en")} characters
          </button>
        ))}
    </>
  );
}
