CREATE TABLE "experiments" (
	experiment_id INTEGER NOT NULL, 
	name VARCHAR(256) NOT NULL, 
	artifact_location VARCHAR(256), 
	lifecycle_stage VARCHAR(32), 
	creation_time BIGINT, 
	last_update_time BIGINT, 
	workspace VARCHAR(63) DEFAULT 'default' NOT NULL, 
	CONSTRAINT experiment_pk PRIMARY KEY (experiment_id), 
	CONSTRAINT experiments_lifecycle_stage CHECK (lifecycle_stage IN ('active', 'deleted')), 
	CONSTRAINT uq_experiments_workspace_name UNIQUE (workspace, name)
);
INSERT INTO experiments (experiment_id, name, artifact_location, lifecycle_stage, creation_time, last_update_time, workspace) VALUES (0, 'Default', '…/mlruns/0', 'active', 1796041463730, 1796041463730, 'default');
INSERT INTO experiments (experiment_id, name, artifact_location, lifecycle_stage, creation_time, last_update_time, workspace) VALUES (1, 'team', '…/mlruns/1', 'active', 1796041463844, 1796041463844, 'default');
CREATE TABLE "trace_info" (
	request_id VARCHAR(50) NOT NULL, 
	experiment_id INTEGER NOT NULL, 
	timestamp_ms BIGINT NOT NULL, 
	execution_time_ms BIGINT, 
	status VARCHAR(50) NOT NULL, 
	client_request_id VARCHAR(50), 
	request_preview VARCHAR(1000), 
	response_preview VARCHAR(1000), 
	db_payload_generation INTEGER DEFAULT '0' NOT NULL, trace_name VARCHAR(4096), session_id VARCHAR(250), input_tokens BIGINT, output_tokens BIGINT, total_tokens BIGINT, cache_read_input_tokens BIGINT, cache_creation_input_tokens BIGINT, cache_creation_input_tokens_above_1hr BIGINT, input_cost FLOAT, output_cost FLOAT, total_cost FLOAT, 
	CONSTRAINT trace_info_pk PRIMARY KEY (request_id)
);
INSERT INTO trace_info (request_id, experiment_id, timestamp_ms, execution_time_ms, status, client_request_id, request_preview, response_preview, db_payload_generation, trace_name, session_id, input_tokens, output_tokens, total_tokens, cache_read_input_tokens, cache_creation_input_tokens, cache_creation_input_tokens_above_1hr, input_cost, output_cost, total_cost) VALUES ('tr-a0bcbb87a8c6b1f858019b3321271755', 1, 1796041465481, 798, 'OK', NULL, '{"question": "What is 2+2?"}', '{"answer": "4"}', 1, 'team', 'thread-1', 12, 5, 17, NULL, NULL, NULL, 1.8e-06, 3.0e-06, 4.8e-06);
CREATE TABLE "trace_request_metadata" (
	"key" VARCHAR(250) NOT NULL, 
	value VARCHAR(8000), 
	request_id VARCHAR(50) NOT NULL, 
	CONSTRAINT trace_request_metadata_pk PRIMARY KEY ("key", request_id)
);
INSERT INTO trace_request_metadata (key, value, request_id) VALUES ('mlflow.source.git.branch', '', 'tr-a0bcbb87a8c6b1f858019b3321271755');
INSERT INTO trace_request_metadata (key, value, request_id) VALUES ('mlflow.source.git.commit', '', 'tr-a0bcbb87a8c6b1f858019b3321271755');
INSERT INTO trace_request_metadata (key, value, request_id) VALUES ('mlflow.source.git.repoURL', '', 'tr-a0bcbb87a8c6b1f858019b3321271755');
INSERT INTO trace_request_metadata (key, value, request_id) VALUES ('mlflow.source.name', '…/tests/unit/sources/exports/make/mlflow.py', 'tr-a0bcbb87a8c6b1f858019b3321271755');
INSERT INTO trace_request_metadata (key, value, request_id) VALUES ('mlflow.source.type', 'LOCAL', 'tr-a0bcbb87a8c6b1f858019b3321271755');
INSERT INTO trace_request_metadata (key, value, request_id) VALUES ('mlflow.trace.infoFinalized', 'true', 'tr-a0bcbb87a8c6b1f858019b3321271755');
INSERT INTO trace_request_metadata (key, value, request_id) VALUES ('mlflow.trace.sizeBytes', '2777', 'tr-a0bcbb87a8c6b1f858019b3321271755');
INSERT INTO trace_request_metadata (key, value, request_id) VALUES ('mlflow.trace.sizeStats', '{"total_size_bytes": 2777, "num_spans": 3, "max": 805, "p25": 505, "p50": 522, "p75": 663}', 'tr-a0bcbb87a8c6b1f858019b3321271755');
INSERT INTO trace_request_metadata (key, value, request_id) VALUES ('mlflow.trace.user', 'u1', 'tr-a0bcbb87a8c6b1f858019b3321271755');
INSERT INTO trace_request_metadata (key, value, request_id) VALUES ('mlflow.traceInputs', '{"question": "What is 2+2?"}', 'tr-a0bcbb87a8c6b1f858019b3321271755');
INSERT INTO trace_request_metadata (key, value, request_id) VALUES ('mlflow.traceOutputs', '{"answer": "4"}', 'tr-a0bcbb87a8c6b1f858019b3321271755');
INSERT INTO trace_request_metadata (key, value, request_id) VALUES ('mlflow.trace_schema.version', '3', 'tr-a0bcbb87a8c6b1f858019b3321271755');
INSERT INTO trace_request_metadata (key, value, request_id) VALUES ('mlflow.user', 'user', 'tr-a0bcbb87a8c6b1f858019b3321271755');
CREATE TABLE "spans" (
	trace_id VARCHAR(50) NOT NULL, 
	experiment_id INTEGER NOT NULL, 
	span_id VARCHAR(50) NOT NULL, 
	parent_span_id VARCHAR(50), 
	name TEXT, 
	type VARCHAR(500), 
	status VARCHAR(50) NOT NULL, 
	start_time_unix_nano BIGINT NOT NULL, 
	end_time_unix_nano BIGINT, 
	duration_ns BIGINT GENERATED ALWAYS AS (end_time_unix_nano - start_time_unix_nano) STORED, 
	content TEXT NOT NULL, 
	input_cost FLOAT, 
	output_cost FLOAT, 
	total_cost FLOAT, 
	model_name VARCHAR(500), 
	model_provider VARCHAR(500), 
	CONSTRAINT spans_pk PRIMARY KEY (trace_id, span_id)
);
INSERT INTO spans (trace_id, experiment_id, span_id, parent_span_id, name, type, status, start_time_unix_nano, end_time_unix_nano, content, input_cost, output_cost, total_cost, model_name, model_provider) VALUES ('tr-a0bcbb87a8c6b1f858019b3321271755', 1, 'd36969b723f234c9', 'f8384784043d761b', 'model', 'CHAT_MODEL', 'OK', 1796041466254223458, 1796041466254708883, '{"trace_id": "oLy7h6jGsfhYAZszIScXVQ==", "span_id": "02lptyPyNMk=", "parent_span_id": "+DhHhAQ9dhs=", "name": "model", "start_time_unix_nano": 1796041466254223458, "end_time_unix_nano": 1796041466254708883, "events": [], "status": {"code": "STATUS_CODE_OK", "message": ""}, "attributes": {"mlflow.traceRequestId": "\"tr-a0bcbb87a8c6b1f858019b3321271755\"", "mlflow.spanType": "\"CHAT_MODEL\"", "mlflow.spanInputs": "{\"messages\": [{\"role\": \"user\", \"content\": \"What is 2+2?\"}]}", "mlflow.chat.tokenUsage": "{\"input_tokens\": 12, \"output_tokens\": 5, \"total_tokens\": 17}", "mlflow.llm.model": "\"gpt-4o-mini\"", "mlflow.llm.provider": "\"openai\"", "mlflow.spanOutputs": "{\"choices\": [{\"message\": {\"role\": \"assistant\", \"content\": \"4\"}}]}", "mlflow.spanLogLevel": "20", "mlflow.llm.cost": "{\"input_cost\": 1.8e-06, \"output_cost\": 3e-06, \"total_cost\": 4.8e-06}"}, "links": []}', 1.8e-06, 3.0e-06, 4.8e-06, 'gpt-4o-mini', 'openai');
INSERT INTO spans (trace_id, experiment_id, span_id, parent_span_id, name, type, status, start_time_unix_nano, end_time_unix_nano, content, input_cost, output_cost, total_cost, model_name, model_provider) VALUES ('tr-a0bcbb87a8c6b1f858019b3321271755', 1, 'babbb798cf124675', 'f8384784043d761b', 'calculator', 'TOOL', 'ERROR', 1796041466254926549, 1796041466279480831, '{"trace_id": "oLy7h6jGsfhYAZszIScXVQ==", "span_id": "uru3mM8SRnU=", "parent_span_id": "+DhHhAQ9dhs=", "name": "calculator", "start_time_unix_nano": 1796041466254926549, "end_time_unix_nano": 1796041466279480831, "events": [], "status": {"code": "STATUS_CODE_ERROR", "message": ""}, "attributes": {"mlflow.traceRequestId": "\"tr-a0bcbb87a8c6b1f858019b3321271755\"", "mlflow.spanType": "\"TOOL\"", "mlflow.spanInputs": "{\"expression\": \"2+2\"}", "mlflow.spanLogLevel": "20"}, "links": []}', NULL, NULL, NULL, NULL, NULL);
INSERT INTO spans (trace_id, experiment_id, span_id, parent_span_id, name, type, status, start_time_unix_nano, end_time_unix_nano, content, input_cost, output_cost, total_cost, model_name, model_provider) VALUES ('tr-a0bcbb87a8c6b1f858019b3321271755', 1, 'f8384784043d761b', NULL, 'team', 'AGENT', 'OK', 1796041465481364967, 1796041466279667118, '{"trace_id": "oLy7h6jGsfhYAZszIScXVQ==", "span_id": "+DhHhAQ9dhs=", "parent_span_id": null, "name": "team", "start_time_unix_nano": 1796041465481364967, "end_time_unix_nano": 1796041466279667118, "events": [], "status": {"code": "STATUS_CODE_OK", "message": ""}, "attributes": {"mlflow.traceRequestId": "\"tr-a0bcbb87a8c6b1f858019b3321271755\"", "mlflow.spanType": "\"AGENT\"", "mlflow.spanInputs": "{\"question\": \"What is 2+2?\"}", "mlflow.spanOutputs": "{\"answer\": \"4\"}", "mlflow.spanLogLevel": "20"}, "links": []}', NULL, NULL, NULL, NULL, NULL);
