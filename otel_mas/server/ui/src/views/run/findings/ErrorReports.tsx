import type { ErrorsDocument } from "../../../api/types";
import { useJson } from "../../../api/useJson";
import { useShared } from "../context";
import { Text } from "../drawer/Text";
import { SpanLink } from "../SpanLink";

/** Errors, with what led there. */
export function ErrorReports() {
  const { base, suffix, revision } = useShared();
  const { data } = useJson<ErrorsDocument>(`${base}/error-reports${suffix}`, revision);
  if (!data?.errors.length) return null;
  return (
    <section>
      {data.errors.map((report) => (
        <article key={report.span_id} className="finding error">
          <h2>
            <span className="bad">{report.type}</span> in <SpanLink id={report.span_id} label={report.task} />{" "}
            <span className="dim">
              {report.outcome}
              {report.handled_by.length > 0 && ` by ${report.handled_by.join(", ")}`}
            </span>
          </h2>
          <p>
            <Text text={report.message ?? report.missing ?? ""} />
          </p>
          {report.causes.length > 0 && (
            <p className="evidence">
              <span className="dim">led there</span>
              {report.causes.map((cause) => (
                <SpanLink key={cause.span_id} id={cause.span_id} label={cause.task} />
              ))}
            </p>
          )}
          {report.stack && (
            <details>
              <summary>Stack</summary>
              <Text text={report.stack} code />
            </details>
          )}
        </article>
      ))}
    </section>
  );
}
