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
.PHONY: help install $(COMMANDS) demo sinks test fuzz soak lint format lock audit sbom asyncapi-schema grafana-schema grafana-smoke mermaid \
	test-postgres15 images compose-check docker-env docker-build docker-up docker-down docker-logs

help: ## Show this table
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

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

# The tables and all that writes to them, on the server that compose.yaml has, too.
POSTGRES15 := $(firstword $(wildcard /usr/lib/postgresql/15/bin .local/debian/usr/lib/postgresql/15/bin))
test-postgres15: install ## Run the tests of tables and sinks on PostgreSQL 15
	@test -n "$(POSTGRES15)" || { echo "no PostgreSQL 15; get it with \`apt install postgresql-15\`" >&2; exit 1; }
	@STACK_POSTGRES_BIN=$(POSTGRES15) $(BIN)/pytest --numprocesses 2 --dist loadfile \
		tests/integration/sinks tests/integration/docker $(ARGS)

# No Docker in it: what an image installs, in an environment of its own, runs here.
images: install ## Install each image's packages by themselves and run its services
	@$(BIN)/pytest -m images tests/images $(ARGS)

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

# Docker's own program, which takes no engine to say whether it understands compose.yaml.
.local/compose/docker-compose:
	@mkdir -p $(@D)
	@cd $(@D) && { test -f go.mod || go mod init compose; } && \
		go get github.com/docker/compose/v2/cmd@v2.40.3 && \
		go build -o docker-compose github.com/docker/compose/v2/cmd

compose-check: install .local/compose/docker-compose ## Build Docker Compose with Go, and let it read compose.yaml
	@PATH="$(CURDIR)/.local/compose:$$PATH" $(BIN)/pytest --quiet tests/contract/test_images.py -k docker_compose

COMPOSE := docker compose
docker-env: install ## Write a password into .env for everything that has none
	@$(BIN)/plantwatch config passwords

docker-build: ## Build the images
	@$(COMPOSE) --profile replay build $(ARGS)

docker-up: ## Start everything in containers; ready when it returns
	@$(COMPOSE) up --detach --wait $(ARGS)

docker-down: ## Stop the containers; ARGS=--volumes removes the data, too
	@$(COMPOSE) --profile replay down $(ARGS)

docker-logs: ## Follow what the containers say: ARGS=worker
	@$(COMPOSE) --profile replay logs --follow $(ARGS)

# docs/asyncapi.yaml is held against it. Once for each new version of AsyncAPI; needs npm.
asyncapi-schema: ## Get the JSON schema of AsyncAPI 3.0 anew
	@mkdir -p .local/schema
	@cd .local/schema && npm install --silent --no-save --no-audit --no-fund --ignore-scripts @asyncapi/specs@6.11.1
	@cp '.local/schema/node_modules/@asyncapi/specs/schemas/3.0.0-without-$$id.json' tests/data/asyncapi-3.0.0.schema.json

# A diagram that does not parse is shown as its text, by GitHub alone. Needs npm and Chromium.
mermaid: ## Draw the diagrams of the pages to .local/mermaid, to look at
	@mkdir -p .local/mermaid && cat README.md ARCHITECTURE.md > .local/mermaid/pages.md
	@cd .local/mermaid && echo '{"args": ["--no-sandbox"]}' > chromium.json && PUPPETEER_SKIP_DOWNLOAD=1 \
		PUPPETEER_EXECUTABLE_PATH=$$(command -v chromium-headless-shell chromium google-chrome | head -1) \
		npx --yes @mermaid-js/mermaid-cli@11.17.0 -p chromium.json -i pages.md -o drawn.md -e png

# A real Grafana with our data sources and dashboards: each source must answer, all four be there.
ASK = curl --silent --fail --user "admin:$$(sed -n 's/^GRAFANA_ADMIN_PASSWORD=//p' .env)" \
	http://127.0.0.1:3000/api
grafana-smoke: ## Where Docker is: show the dashboards to a real Grafana
	@$(COMPOSE) up --detach --wait grafana
	@trap '$(COMPOSE) down' EXIT; \
		$(ASK)/datasources/uid/plantwatch-prometheus/health && \
		$(ASK)/datasources/uid/plantwatch-postgres/health && \
		test "$$($(ASK)/search?tag=plantwatch | grep -o '"uid":"plantwatch-' | wc -l)" -eq 4

COMPILE := $(UV) pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--no-header --no-emit-index-url --no-emit-find-links --no-annotate --quiet

# What is in which image, and nothing in it that all.lock has in another version.
FOR_IMAGE := $(COMPILE) --constraints requirements/all.lock
lock: install ## Lock the versions anew
	@$(COMPILE) --all-extras --group dev --output-file requirements/all.lock
	@$(FOR_IMAGE) --output-file requirements/runtime.lock
	@$(FOR_IMAGE) --extra drift --output-file requirements/drift.lock
	@$(FOR_IMAGE) --extra dashboard --output-file requirements/dashboard.lock
	@$(FOR_IMAGE) --extra training --output-file requirements/training.lock

# Both tools come for the moment and are no dependencies; the first asks a service that knows what is
# vulnerable, and fails, too, where it cannot.
audit: install ## Ask whether anything that is locked is known to be vulnerable
	@$(UV) tool run --python $(BIN)/python pip-audit==2.10.1 --strict --disable-pip --require-hashes \
		$(foreach lock,$(wildcard requirements/*.lock),--requirement $(lock))

sbom: install ## Write what the pipeline is made of (CycloneDX) to .local/sbom.json
	@mkdir -p .local
	@$(UV) tool run --python $(BIN)/python --from cyclonedx-bom==7.2.1 cyclonedx-py requirements \
		requirements/runtime.lock --pyproject pyproject.toml --output-reproducible --output-file .local/sbom.json
	@echo .local/sbom.json
