CREATE TABLE "projects" (
	id INTEGER NOT NULL, 
	name VARCHAR NOT NULL, 
	description VARCHAR, 
	gradient_start_color VARCHAR DEFAULT '#5bdbff' NOT NULL, 
	gradient_end_color VARCHAR DEFAULT '#1c76fc' NOT NULL, 
	created_at TIMESTAMP DEFAULT (CURRENT_TIMESTAMP) NOT NULL, 
	updated_at TIMESTAMP DEFAULT (CURRENT_TIMESTAMP) NOT NULL, 
	trace_retention_policy_id INTEGER, 
	CONSTRAINT pk_projects PRIMARY KEY (id), 
	CONSTRAINT uq_projects_name UNIQUE (name)
);
INSERT INTO projects (id, name, description, gradient_start_color, gradient_end_color, created_at, updated_at, trace_retention_policy_id) VALUES (1, 'default', 'Default project', '#5bdbff', '#1c76fc', '2026-11-30 12:04:16', '2026-11-30 12:04:16', NULL);
INSERT INTO projects (id, name, description, gradient_start_color, gradient_end_color, created_at, updated_at, trace_retention_policy_id) VALUES (2, 'team', NULL, '#F97316', '#FCD34D', '2026-11-30 12:07:42', '2026-11-30 12:07:42', NULL);
CREATE TABLE project_sessions (
	id INTEGER NOT NULL, 
	session_id VARCHAR NOT NULL, 
	project_id INTEGER NOT NULL, 
	start_time TIMESTAMP NOT NULL, 
	end_time TIMESTAMP NOT NULL, 
	CONSTRAINT pk_project_sessions PRIMARY KEY (id), 
	CONSTRAINT uq_project_sessions_session_id UNIQUE (session_id)
);
INSERT INTO project_sessions (id, session_id, project_id, start_time, end_time) VALUES (1, 'thread-1', 2, '2026-11-30 12:07:42.498029', '2026-11-30 12:26:46.720847');
CREATE TABLE "traces" (
	id INTEGER NOT NULL, 
	project_rowid INTEGER NOT NULL, 
	trace_id VARCHAR NOT NULL, 
	start_time TIMESTAMP NOT NULL, 
	end_time TIMESTAMP NOT NULL, 
	project_session_rowid INTEGER, 
	CONSTRAINT pk_traces PRIMARY KEY (id), 
	CONSTRAINT uq_traces_trace_id UNIQUE (trace_id)
);
INSERT INTO traces (id, project_rowid, trace_id, start_time, end_time, project_session_rowid) VALUES (2, 2, '927bb41aa39e69db4dc15939cf712ccf', '2026-11-30 12:26:46.526310', '2026-11-30 12:26:46.720847', 1);
CREATE TABLE spans (
	id INTEGER NOT NULL, 
	trace_rowid INTEGER NOT NULL, 
	span_id VARCHAR NOT NULL, 
	parent_id VARCHAR, 
	name VARCHAR NOT NULL, 
	span_kind VARCHAR NOT NULL, 
	start_time TIMESTAMP NOT NULL, 
	end_time TIMESTAMP NOT NULL, 
	attributes JSONB NOT NULL, 
	events JSONB NOT NULL, 
	status_code VARCHAR DEFAULT 'UNSET' NOT NULL CONSTRAINT "ck_spans_`valid_status`" CHECK (status_code IN ('OK', 'ERROR', 'UNSET')), 
	status_message VARCHAR NOT NULL, 
	cumulative_error_count INTEGER NOT NULL, 
	cumulative_llm_token_count_prompt INTEGER NOT NULL, 
	cumulative_llm_token_count_completion INTEGER NOT NULL, llm_token_count_prompt INTEGER, llm_token_count_completion INTEGER, 
	CONSTRAINT pk_spans PRIMARY KEY (id), 
	CONSTRAINT uq_spans_span_id UNIQUE (span_id)
);
INSERT INTO spans (id, trace_rowid, span_id, parent_id, name, span_kind, start_time, end_time, attributes, events, status_code, status_message, cumulative_error_count, cumulative_llm_token_count_prompt, cumulative_llm_token_count_completion, llm_token_count_prompt, llm_token_count_completion) VALUES (4, 2, '1ccacc3823eb1b2a', '5e97b6dbad30c02d', 'model', 'LLM', '2026-11-30 12:26:46.526426', '2026-11-30 12:26:46.526466', '{"openinference":{"span":{"kind":"LLM"}},"llm":{"provider":"openai","input_messages":[{"message":{"content":"What is 2+2?","role":"user"}}],"model_name":"gpt-4o-mini","output_messages":[{"message":{"content":"4","role":"assistant"}}],"token_count":{"total":17,"prompt":12,"completion":5}}}', '[]', 'OK', '', 0, 12, 5, 12, 5);
INSERT INTO spans (id, trace_rowid, span_id, parent_id, name, span_kind, start_time, end_time, attributes, events, status_code, status_message, cumulative_error_count, cumulative_llm_token_count_prompt, cumulative_llm_token_count_completion, llm_token_count_prompt, llm_token_count_completion) VALUES (5, 2, '9b0e29f951e852b6', '5e97b6dbad30c02d', 'calculator', 'TOOL', '2026-11-30 12:26:46.652909', '2026-11-30 12:26:46.652982', '{"input":{"value":"{\"expression\": \"2+2\"}"},"openinference":{"span":{"kind":"TOOL"}},"tool":{"name":"calculator"}}', '[{"name":"exception","timestamp":"2026-11-30T12:26:46.652953+00:00","attributes":{"exception.type":"ValueError","exception.message":"no"}}]', 'ERROR', 'ValueError: no', 1, 0, 0, NULL, NULL);
INSERT INTO spans (id, trace_rowid, span_id, parent_id, name, span_kind, start_time, end_time, attributes, events, status_code, status_message, cumulative_error_count, cumulative_llm_token_count_prompt, cumulative_llm_token_count_completion, llm_token_count_prompt, llm_token_count_completion) VALUES (6, 2, '5e97b6dbad30c02d', NULL, 'team', 'AGENT', '2026-11-30 12:26:46.526310', '2026-11-30 12:26:46.720847', '{"input":{"value":"What is 2+2?"},"openinference":{"span":{"kind":"AGENT"}},"metadata":{"langgraph_step":1,"thread_id":"thread-1"},"session":{"id":"thread-1"},"output":{"value":"4"}}', '[]', 'UNSET', '', 1, 12, 5, NULL, NULL);
