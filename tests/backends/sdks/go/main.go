// Sends two spans, the second the first one's child, and a log record in it, with the SDK of Go.
// Usage: sdk grpc|http ENDPOINT. The standard OTEL_EXPORTER_OTLP_* variables apply.
package main

import (
	"context"
	"fmt"
	"os"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploggrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/log"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/trace"
)

func main() {
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(protocol string) error {
	ctx := context.Background()
	spans, logs, err := exporters(ctx, protocol)
	if err != nil {
		return err
	}
	tracing := trace.NewTracerProvider(trace.WithBatcher(spans))
	logging := sdklog.NewLoggerProvider(sdklog.WithProcessor(sdklog.NewBatchProcessor(logs)))
	tracer := tracing.Tracer("go-app")
	outer, root := tracer.Start(ctx, "go root")
	inner, child := tracer.Start(outer, "go child")
	child.SetAttributes(attribute.String("gen_ai.agent.name", "gopher"), attribute.StringSlice("tags", []string{"a", "b"}))
	var record log.Record
	record.SetSeverity(log.SeverityWarn)
	record.SetSeverityText("WARN")
	record.SetBody(attribute.StringValue("from Go"))
	logging.Logger("go-app").Emit(inner, record)
	child.End()
	root.End()
	if err := tracing.Shutdown(ctx); err != nil {
		return err
	}
	return logging.Shutdown(ctx)
}

func exporters(ctx context.Context, protocol string) (*otlptrace.Exporter, sdklog.Exporter, error) {
	if protocol == "grpc" {
		spans, err := otlptracegrpc.New(ctx)
		if err != nil {
			return nil, nil, err
		}
		logs, err := otlploggrpc.New(ctx)
		return spans, logs, err
	}
	spans, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, nil, err
	}
	logs, err := otlploghttp.New(ctx)
	return spans, logs, err
}
