// Asks a service over HTTP, in a trace that begins here, with the SDK of JavaScript. It prints the answer.
// Usage: node client.mjs URL TEXT CONVERSATION. The standard OTEL_EXPORTER_OTLP_* variables apply.
import { context, propagation, SpanKind, trace } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { defaultResource, detectResources, envDetector } from "@opentelemetry/resources";
import { BatchSpanProcessor, NodeTracerProvider } from "@opentelemetry/sdk-trace-node";

const resource = defaultResource().merge(detectResources({ detectors: [envDetector] }));
const tracing = new NodeTracerProvider({ resource, spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())] });
tracing.register(); // with W3C's trace context and baggage

const [url, text, conversation] = process.argv.slice(2);
const entries = { "gen_ai.conversation.id": { value: conversation } };
const belonging = propagation.setBaggage(context.active(), propagation.createBaggage(entries));
const attributes = { "gen_ai.conversation.id": conversation };
const span = trace.getTracer("client").startSpan("ask by HTTP", { kind: SpanKind.CLIENT, attributes }, belonging);
const headers = { "content-type": "application/json" };
propagation.inject(trace.setSpan(belonging, span), headers);
const response = await fetch(url, { method: "POST", headers, body: JSON.stringify({ text }) });
console.log((await response.json()).text);
span.end();
await tracing.shutdown();
