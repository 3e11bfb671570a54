# Thin calls of the `plantwatch` command, for a machine with only make and Python >= 3.11.
# ARGS is passed on: make replay ARGS="--speed 1".

.DEFAULT_GOAL := help
BIN := .venv/bin
UV := $(BIN)/uv
ARGS ?=

# Looked for only when .venv must be made; empty if there is none.
PYTHON = $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; \
	done)

COMMANDS := download-data train evaluate up down status replay worker watch bench ledger dlq reproduce doctor \
	explain faults bench-edges bench-page bench-pipeline bench-api dashboard serve
.PHONY: help install $(COMMANDS) demo sinks test fuzz soak lint format lock grafana-schema grafana-smoke

help: ## Show this table
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: .venv/stamp ## Make .venv and install the locked versions into it

# `uv pip sync` removes what the lock does not name, but leaves pip and uv. urllib3-future, which
# grafana-client brings, would take urllib3's place for everybody: built so, it keeps to its own name.
.venv/stamp: requirements/all.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "no Python >= 3.11 found; install one and run make again" >&2; exit 1; }
	@test -x $(BIN)/python || { echo "making .venv: once, a few minutes"; $(PYTHON) -m venv .venv; }
	@test -x $(UV) || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@URLLIB3_NO_OVERRIDE=1 $(UV) pip sync --quiet --compile-bytecode --no-binary urllib3-future --python $(BIN)/python --require-hashes requirements/all.lock
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

demo: install ## Show everything at work on a test fleet; KEEP=1 leaves it running
	@$(BIN)/plantwatch demo $(if $(KEEP),--keep) $(ARGS)

up: ## Start Kafka, PostgreSQL, MLflow, Prometheus, the worker and the sinks here
down: ## Stop them
status: ## Show them
download-data: ## Get NASA's C-MAPSS files
train: ## Train, track and register a model
evaluate: ## Evaluate a model on the official test fleet
replay: ## Publish a fleet's rows to Kafka
worker: ## Run one worker in the foreground
watch: ## Print anomalies as they come
bench: ## Compare the worker with a plain Kafka loop and other frameworks
bench-edges: ## Compare sink and producer with bare loops; time a start; weigh a machine
bench-page: ## Time the live page's first sight of a thousand machines, in a browser
bench-pipeline: ## Find the highest rate that holds, latencies, CPU by stage, workers, fleets
ledger: ## Judge what became of every reading
dlq: ## Look at the dead letters: ARGS=list, "show ID", "replay --dry-run"
doctor: ## Check this machine and say what to do
faults: ## Break a pipeline in every way and judge it: ARGS="--quick", "--list", "--only X"
serve: ## Serve the HTTP API: http://127.0.0.1:8000 (`make up` has it, too)
bench-api: ## Put the API under rising load, beside a bare onnxruntime server
dashboard: ## Serve the live page: http://127.0.0.1:8501 (`make up` has it, too)
explain: ## Show the sensors behind a stored verdict: ARGS="--sensor-id X --cycle N"
reproduce: ## Compute a stored verdict again: ARGS="--sensor-id X --cycle N"

$(COMMANDS): install
	@$(BIN)/plantwatch $@ $(ARGS)

soak: install ## Random faults under load, then the judgement: SEED=n MINUTES=m
	@$(BIN)/plantwatch soak $(if $(SEED),--seed $(SEED)) $(if $(MINUTES),--minutes $(MINUTES)) $(ARGS)

sinks: install ## Run the sinks, and the outbox of incidents, in the foreground
	@$(BIN)/plantwatch up --foreground --only migrate,sink-postgres,sink-prometheus,sink-shadow,sink-readings,outbox

# Two at a time, each with servers of its own: one would leave half of two cores idle. In the order of
# the folders, so that the long files on real servers come before the many short ones.
test: install ## Run all tests, those on real servers included, with coverage
	@mkdir -p .local/coverage
	@$(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder --durations 12
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report

# A new seed each time; SEED=n repeats a run. The properties take the seed, too.
fuzz: SEED := $(or $(SEED),$(shell date +%s))
fuzz: N ?= 1000000
fuzz: install ## Mutated messages by the million, 5,000 requests to each route: SEED=n N=n
	@$(BIN)/python -m tests.support.fuzz $(SEED) $(N)
	@$(BIN)/pytest --quiet --hypothesis-profile fuzz --hypothesis-seed $(SEED) \
		tests/unit/plantwatch/test_decode.py tests/unit/ledger/test_parse.py -k 'not corpus and not mutated'
	@FUZZ_REQUESTS=5000 $(BIN)/pytest --quiet --hypothesis-seed $(SEED) tests/integration/api/test_fuzz.py

lint: install ## Check style, types and the layers
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy .
	@$(BIN)/lint-imports --cache-dir .local/cache/imports

format: install ## Format, and mend what can be mended
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

# Dashboards are held against it. Once for each new version of Grafana; needs npm.
GRAFANA_SCHEMA := node_modules/@grafana/schema/dist/types/raw/dashboard/x/types.gen.d.ts
grafana-schema: ## Make the JSON schema of Grafana's dashboards anew
	@mkdir -p .local/schema
	@cd .local/schema && npm install --silent --no-save --no-audit --no-fund --ignore-scripts \
		@grafana/schema@13.2.3 ts-json-schema-generator@2.4.0 typescript@5
	@cd .local/schema && echo '{"compilerOptions": {"moduleResolution": "node"}}' > tsconfig.json
	@cd .local/schema && npx ts-json-schema-generator --path '$(GRAFANA_SCHEMA)' --tsconfig tsconfig.json \
		--type Dashboard --expose none --no-type-check > dashboard.json
	@cp .local/schema/dashboard.json tests/data/grafana-dashboard.schema.json

# A real Grafana with our data sources and dashboards: each source must answer, all four be there.
SMOKE := GRAFANA_ADMIN_PASSWORD=smoke docker compose --env-file .local/stack.env --file grafana/compose.yaml
ASK := curl --silent --fail --user admin:smoke http://127.0.0.1:3000/api
grafana-smoke: ## Where Docker is, beside `make up`: show the dashboards to a real Grafana
	@$(SMOKE) up --detach --wait
	@trap '$(SMOKE) down --volumes' EXIT; \
		$(ASK)/datasources/uid/plantwatch-prometheus/health && \
		$(ASK)/datasources/uid/plantwatch-postgres/health && \
		test "$$($(ASK)/search?tag=plantwatch | grep -o '"uid":"plantwatch-' | wc -l)" -eq 4

COMPILE := $(UV) pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--no-header --no-emit-index-url --no-emit-find-links --no-annotate --quiet

lock: install ## Lock the versions anew
	@$(COMPILE) --all-extras --group dev --output-file requirements/all.lock
	@$(COMPILE) --constraints requirements/all.lock --output-file requirements/runtime.lock
