/** Texts of the messages that were read, by who wrote and who read them. */
import { useMemo } from "react";
import type { MessagesDocument } from "../../../api/types";
import { useJson } from "../../../api/useJson";
import { useShared } from "../context";

/** Of very long runs the texts are megabytes: the arrows are shown without. */
const MOST_SPANS = 20_000;

export type Texts = (writer: string, reader: string) => string;

export function useTexts(wanted: boolean): Texts {
  const { run, base, suffix, revision } = useShared();
  const asked = wanted && run.size <= MOST_SPANS;
  const { data } = useJson<MessagesDocument>(asked ? `${base}/messages${suffix}` : null, revision);
  return useMemo(() => {
    const found = new Map<string, string>();
    for (const message of data?.messages ?? []) {
      if (!message.wrote || !message.text) continue;
      // A reader that has several of the same writer: the newest is what went there.
      for (const reader of message.read) found.set(key(message.wrote.span_id, reader.span_id), message.text);
    }
    return (writer, reader) => found.get(key(writer, reader)) ?? "";
  }, [data]);
}

const key = (writer: string, reader: string) => `${writer} ${reader}`;
