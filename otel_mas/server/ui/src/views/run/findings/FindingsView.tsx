import type { Finding } from "../../../api/types";
import { duration, oneLine, usd } from "../../../format";
import { Empty, Failed, Loading } from "../../../ui/states";
import { useShared } from "../context";
import { SpanLink } from "../SpanLink";
import { useFindings } from "../useFindings";
import { ErrorReports } from "./ErrorReports";
import { WhyNot } from "./WhyNot";

const MOST_EVIDENCE = 12;
const TONES: Record<string, string> = { error: "bad", warning: "wait", info: "dim" };

/** What is wrong with the run, with the spans that show it; these are marked in the picture, too. */
export function FindingsView() {
  const { base, suffix, revision } = useShared();
  const { data, error, reload } = useFindings(base, suffix, revision);
  if (error) return <Failed error={error} retry={reload} />;
  if (!data) return <Loading what="the findings" />;
  return (
    <div className="prose">
      <ErrorReports />
      {data.findings.length === 0 ? (
        <Empty title="Nothing was found.">
          <p>No detector found anything wrong with this run. Errors, if there are any, are above.</p>
        </Empty>
      ) : (
        data.findings.map((finding) => <One key={finding.code + finding.spans.join()} finding={finding} />)
      )}
      {data.undecided.length > 0 && (
        <details>
          <summary>What the recording cannot tell ({data.undecided.length})</summary>
          <ul>
            {data.undecided.map((one) => (
              <li key={one.code}>
                <b>{one.code}</b> {one.reason}
              </li>
            ))}
          </ul>
        </details>
      )}
      <WhyNot />
    </div>
  );
}

function One({ finding }: { finding: Finding }) {
  return (
    <article className={`finding ${finding.severity}`}>
      <h2>
        <span className={TONES[finding.severity] ?? ""}>{finding.severity}</span> {finding.code}{" "}
        <span className="dim">
          <bdi>{oneLine(finding.subject, 60)}</bdi> · {Math.round(finding.confidence * 100)}% sure
        </span>
      </h2>
      <p>
        <bdi>{oneLine(finding.summary, 600)}</bdi>
      </p>
      <p className="dim">{oneLine(finding.advice, 600)}</p>
      <p className="evidence">
        {finding.spans.slice(0, MOST_EVIDENCE).map((span) => (
          <SpanLink key={span} id={span} />
        ))}
        {finding.spans.length > MOST_EVIDENCE && <span className="dim">and {finding.spans.length - MOST_EVIDENCE} more spans</span>}
        {finding.saves_ns !== null && finding.saves_ns > 0 && <span className="dim">costs {duration(finding.saves_ns)}</span>}
        {finding.saves_usd !== null && finding.saves_usd > 0 && <span className="dim">costs {usd(finding.saves_usd)}</span>}
      </p>
    </article>
  );
}
