interface Props {
  title: string;
  figure: string;
  values: readonly number[];
  tone?: string;
}

const WIDE = 120;
const HIGH = 26;

/** Bars of a figure over time, the newest on the right. */
export function Sparkline({ title, figure, values, tone = "" }: Props) {
  const most = Math.max(...values, 0);
  const step = WIDE / Math.max(values.length, 1);
  return (
    <figure className="sparkline">
      <figcaption>
        <span className="dim">{title}</span> <b>{figure}</b>
      </figcaption>
      <svg viewBox={`0 0 ${WIDE} ${HIGH}`} preserveAspectRatio="none" className={tone} aria-hidden="true">
        {values.map((value, at) => {
          const high = most > 0 ? (value / most) * (HIGH - 2) : 0;
          return (
            <rect
              // eslint-disable-next-line react/no-array-index-key -- a place in time
              key={at}
              x={at * step}
              y={HIGH - Math.max(high, value > 0 ? 1.5 : 0.5)}
              width={Math.max(step - 1, 0.5)}
              height={Math.max(high, value > 0 ? 1.5 : 0.5)}
              className={value > 0 ? "" : "none"}
            />
          );
        })}
      </svg>
    </figure>
  );
}
