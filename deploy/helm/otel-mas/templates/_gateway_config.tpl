{{/* The Collector's configuration. Policies are alternatives: a run is kept as soon as one of them wants it. */}}
{{- define "otel-mas.gatewayConfig" -}}
{{- $gateway := .Values.gateway -}}
{{- $sampling := $gateway.sampling -}}
extensions:
  health_check:
    endpoint: ${env:POD_IP}:13133
receivers:
  otlp:
    protocols:
      grpc: {endpoint: "${env:POD_IP}:4317", max_recv_msg_size_mib: 16}
      http: {endpoint: "${env:POD_IP}:4318"}
processors:
  memory_limiter:
    check_interval: 1s
    limit_percentage: 80
    spike_limit_percentage: 20
  batch: {}
  {{- if $sampling.enabled }}
  tail_sampling:
    decision_wait: {{ $sampling.longestRun }}
    decision_wait_after_root_received: {{ $sampling.afterRoot }}
    num_traces: {{ int $sampling.runsInMemory }}
    decision_cache:
      sampled_cache_size: {{ mul 10 (int $sampling.runsInMemory) }}
      non_sampled_cache_size: {{ mul 10 (int $sampling.runsInMemory) }}
    policies: {{- include "otel-mas.policies" $sampling | nindent 6 }}
  {{- end }}
exporters:
  {{- if $gateway.toServe }}
  otlp_http/serve:
    endpoint: http://{{ include "otel-mas.fullname" . }}.{{ .Release.Namespace }}.svc.{{ .Values.clusterDomain }}:4318
    headers: {authorization: "Bearer ${env:OTEL_MAS_TOKEN}"}
  {{- end }}
  {{- with $gateway.exporters }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
service:
  extensions: [health_check]
  telemetry:
    metrics:
      readers:
        - pull: {exporter: {prometheus: {host: "${env:POD_IP}", port: 8888}}}
  pipelines:
    {{- if $gateway.toServe }}
    traces/serve:
      receivers: [otlp]
      processors: [memory_limiter, batch]
      exporters: [otlp_http/serve]
    logs/serve:
      receivers: [otlp]
      processors: [memory_limiter, batch]
      exporters: [otlp_http/serve]
    {{- end }}
    {{- with $gateway.exporters }}
    traces:
      receivers: [otlp]
      processors: [memory_limiter, {{ if $sampling.enabled }}tail_sampling, {{ end }}batch]
      exporters: {{ keys . | sortAlpha | toJson }}
    {{- end }}
{{- end -}}

{{- define "otel-mas.policies" -}}
{{- if .keep.failed }}
- name: failed
  type: status_code
  status_code: {status_codes: [ERROR]}
{{- end }}
{{- if .keep.slowerThanSeconds }}
- name: slow
  type: latency
  latency: {threshold_ms: {{ mulf 1000 .keep.slowerThanSeconds | int }}}
{{- end }}
{{- range .keep.flagged }}
- name: {{ .key }}
  type: string_attribute
  string_attribute: {key: {{ .key }}, values: {{ toJson .values }}}
{{- end }}
# The first 16 bits of the hash of its conversation choose a run, so that they choose all runs of a conversation alike.
- name: conversations
  type: ottl_condition
  ottl_condition:
    error_mode: ignore
    span:
      - >-
        attributes["gen_ai.conversation.id"] != nil and
        ParseInt(Substring(SHA256(attributes["gen_ai.conversation.id"]), 0, 4), 16) < {{ round (mulf 655.36 .percent) 0 | int }}
- name: runs-without-conversation
  type: and
  and:
    and_sub_policy:
      - name: without-conversation
        type: string_attribute
        string_attribute:
          {key: gen_ai.conversation.id, values: [".*"], enabled_regex_matching: true, invert_match: true}
      - name: share
        type: probabilistic
        probabilistic: {sampling_percentage: {{ .percent }}}
{{- end -}}
