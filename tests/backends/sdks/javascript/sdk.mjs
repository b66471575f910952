// Sends two spans, the second the first one's child, and a log record in it, with the SDK of JavaScript.
// Usage: node sdk.mjs grpc|proto|json. The standard OTEL_EXPORTER_OTLP_* variables apply.
import { context, trace } from "@opentelemetry/api";
import { SeverityNumber } from "@opentelemetry/api-logs";
import { defaultResource, detectResources, envDetector } from "@opentelemetry/resources";
import { BatchLogRecordProcessor, LoggerProvider } from "@opentelemetry/sdk-logs";
import { BatchSpanProcessor, NodeTracerProvider } from "@opentelemetry/sdk-trace-node";

const form = { grpc: "grpc", proto: "proto", json: "http" }[process.argv[2]];
const { OTLPTraceExporter } = await import(`@opentelemetry/exporter-trace-otlp-${form}`);
const { OTLPLogExporter } = await import(`@opentelemetry/exporter-logs-otlp-${form}`);
const resource = defaultResource().merge(detectResources({ detectors: [envDetector] }));
const tracing = new NodeTracerProvider({ resource, spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())] });
const logging = new LoggerProvider({ resource, processors: [new BatchLogRecordProcessor({ exporter: new OTLPLogExporter() })] });
tracing.register();

const tracer = trace.getTracer("js-app");
const root = tracer.startSpan("js root");
const inside = trace.setSpan(context.active(), root);
const child = tracer.startSpan("js child", { attributes: { "gen_ai.agent.name": "node", tags: ["a", "b"] } }, inside);
logging.getLogger("js-app").emit({
  severityNumber: SeverityNumber.WARN,
  severityText: "WARN",
  body: "from JavaScript",
  context: trace.setSpan(context.active(), child),
});
child.end();
root.end();
await tracing.shutdown();
await logging.shutdown();
