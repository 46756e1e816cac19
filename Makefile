# Every command a developer types; `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
FOLDERS := schemas processors security streams sinks sources console deploy

.DEFAULT_GOAL := help
.PHONY: lint types contract insecure known $(shell sed -n 's/^\([a-z-]*\):.*\#\# .*/\1/p' $(firstword $(MAKEFILE_LIST)))

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(VENV)/.installed ## virtual environment with the locked dependencies

# The lock is complete; a resolver beside it would fall over every release of a package that is asked for with extras.
# Compiled again when a source that may be compiled changes (setup.py); SIGNAALWISSEL_PURE=1 leaves all of it in Python.
$(VENV)/.installed: requirements.lock pyproject.toml setup.py $(wildcard schemas/*.py processors/*.py streams/*.py)
	$(PYTHON) -c 'import sys; sys.exit("signaalwissel needs Python 3.11 or newer; this is " + sys.version) if sys.version_info < (3, 11) else None'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	find $(FOLDERS) -name '*.so' -delete
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . 2>$(VENV)/build.log || { cat $(VENV)/build.log; exit 1; }
	$(BIN)/python -m pip --disable-pip-version-check check
	@touch $@

check: lint types contract insecure known ## lint, types, imports, insecure calls, known vulnerabilities: the gate before the tests

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# mypy cannot see the editable import hook, so it gets a folder of links in the wheel's shape.
.typing/signaalwissel:
	mkdir -p $@
	for d in $(FOLDERS); do ln -sfn ../../$$d $@/$$d; done

.typing/website:
	mkdir -p .typing
	ln -sfn ../website $@

types: install .typing/signaalwissel .typing/website
	$(BIN)/mypy

contract: install
	$(BIN)/lint-imports

insecure: install
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive $(FOLDERS)

# A machine without internet is told that nothing was audited; `make audit` fails there.
known: install
	$(BIN)/python -m tests.supply.audit --unless-away

test: install ## the tests, real Kafka and PostgreSQL included
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder

coverage: install ## branch coverage of the rules and the contract, run as Python
	$(BIN)/python -m pytest -p tests.pure --cov=schemas --cov=processors --cov-branch --cov-report=term-missing:skip-covered \
		tests/schemas tests/processors tests/console/test_simulate.py tests/console/test_simulate_tasks.py tests/console/test_simulate_compare.py

try: install ## everything on this machine with signals of made-up residents, for a counsellor to handle in the browser
	$(BIN)/signaalwissel up --demo

demo: install ## a month of signals through real Kafka into PostgreSQL, checked record by record
	$(BIN)/signaalwissel demo

# With MARKDOWN=docs/page.md the benchmarks that have a table in a page write it anew.
bench: install ## micro-benchmarks and the speed of intake, matcher and sink, two sinks included
	$(BIN)/python -m tests.benchmarks

# Debian's and Ubuntu's name of the package; elsewhere install Chromium yourself.
browser: install ## the web pages and the documentation site in a real Chromium, with axe; installs chromium by apt when it is not there and you are root
	command -v chromium >/dev/null || command -v chromium-browser >/dev/null || { test "$$(id -u)" = 0 && apt-get update -q && apt-get install -q -y --no-install-recommends chromium; }
	SIGNAALWISSEL_BROWSER=required $(BIN)/pytest tests/console/webpages/test_browser.py tests/console/webpages/test_first_day.py tests/docs/test_site_axe.py

# promtool is part of Debian's and Ubuntu's package of Prometheus; elsewhere install it yourself.
monitoring: install ## alert rules and dashboards checked by promtool; installs it by apt when it is not there and you are root
	command -v promtool >/dev/null || { test "$$(id -u)" = 0 && apt-get update -q && apt-get install -q -y --no-install-recommends prometheus; }
	SIGNAALWISSEL_PROMTOOL=required $(BIN)/pytest tests/deploy/test_monitoring.py

pictures: install ## the screenshots in docs/web, taken anew by the browser tests
	mkdir -p docs/web
	SIGNAALWISSEL_BROWSER=required SIGNAALWISSEL_PICTURES=docs/web $(BIN)/pytest tests/console/webpages/test_browser.py tests/console/webpages/test_first_day.py

# Half an hour of building on two processors, once per machine; needs Go.
cluster: install ## the Helm chart installed, upgraded and taken away by helm on a real API server with Pod Security `restricted`
	SIGNAALWISSEL_KUBERNETES=$${SIGNAALWISSEL_KUBERNETES:-build} $(BIN)/pytest tests/deploy/chart/test_installed.py

# Debian's engine and compose 2 will do; root, debootstrap and about 3 GB. Grafana is left out: docs/deploy.md.
compose: install ## every image but Grafana's built from packages, deploy/compose.yaml brought up, and a month through it
	mkdir -p build
	$(BIN)/python -m tests.containers.images >build/images.sh
	. build/images.sh && TESTCONTAINERS_RYUK_DISABLED=true SIGNAALWISSEL_TEST_CONTAINERS=1 $(BIN)/pytest -s -m containers tests/containers tests/system/test_in_containers.py tests/deploy/test_containers.py

secured: install ## every cell of the access rights, every way to log in and every refusal, on a secured cluster
	SIGNAALWISSEL_SECURED=whole $(BIN)/pytest tests/secured

bench-peers: install ## the match job side by side with other engines; fetches and builds them, takes most of an hour
	$(BIN)/python -m tests.benchmarks.peers $(if $(MARKDOWN),--markdown $(MARKDOWN))

bench-gateway: install ## requests a second that one gateway takes, and how long an answer takes
	$(BIN)/python -m tests.benchmarks.gateway

# RUNS=3 for medians, half an hour.
bench-growth: install ## the matcher at 10,000 to 3,000,000 known residents: speed, memory, recovery, disk, two workers; 10 minutes, 6 GB free
	$(BIN)/python -m tests.benchmarks.growth $(if $(RESIDENTS),--residents $(RESIDENTS)) $(if $(RUNS),--runs $(RUNS)) $(if $(MARKDOWN),--markdown $(MARKDOWN))

bench-bytes: install ## bytes of a record on every topic and changelog, for the plan of disks; seconds
	$(BIN)/python -m tests.benchmarks.record_bytes $(if $(MARKDOWN),--markdown $(MARKDOWN))

bench-web: install ## how fast every page answers on 100,000 open tasks
	$(BIN)/python -m tests.benchmarks.web

canary: install ## the canary run with 6,000 signals: residents through every path, then looked for in all that is left
	SIGNAALWISSEL_CANARY_SIGNALS=6000 $(BIN)/pytest tests/privacy/test_canary.py

year: install ## a simulated year of a municipality of 100,000: no hit without owner or next day
	SIGNAALWISSEL_YEAR_RESIDENTS=100000 $(BIN)/pytest -s tests/system/test_year.py

simulation: install ## the engine and the sink's offsets under 3,000 seeds of faults, and a crash at every await; SEED=n for one
	$(if $(SEED),SIGNAALWISSEL_SEED=$(SEED)) SIGNAALWISSEL_SIMULATIONS=3000 $(BIN)/pytest -s tests/simulation

races: install ## a thousand residents erased while their signals and events run: nothing comes back
	SIGNAALWISSEL_RACES=1000 $(BIN)/pytest -s tests/system/test_subject_erasure.py

# Without any setting of an installation: the committed documents are of no installation.
contract-docs: install ## AsyncAPI and OpenAPI, as JSON and as pages, into docs/api
	mkdir -p docs/api
	for kind in asyncapi openapi; do \
		env -i PATH="$$PATH" $(BIN)/signaalwissel schemas $$kind >docs/api/$$kind.json && \
		env -i PATH="$$PATH" $(BIN)/signaalwissel schemas $$kind --html >docs/api/$$kind.html || exit 1; \
	done

docs: install ## the documentation site in build/site; a link that leads nowhere ends it
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

samples: install ## the sample publishers in Python, Java and JavaScript, built and run against real Kafka; none may be skipped
	SIGNAALWISSEL_SAMPLES=required $(BIN)/pytest tests/samples

upgrade: install ## a rolling upgrade of worker and sink under a long load, to the next version and back, and from the one before
	SIGNAALWISSEL_TURN=all SIGNAALWISSEL_UPGRADE_SIGNALS=60000 $(BIN)/pytest -s tests/system/test_upgrade.py

turns: install ## the heavy tests of which `make test` runs one at each commit, all of them
	SIGNAALWISSEL_TURN=all $(BIN)/pytest tests/system/test_upgrade.py tests/faults/test_kill.py

faults: install ## rows of the fault matrix on real Kafka and PostgreSQL, and the checker tested; one JSON line at the end
	$(BIN)/python -m tests.faults

faults-long: install ## the rows of the fault matrix with its own numbers: 100,000 signals, 30 minutes of rebalances and so on; takes hours
	$(BIN)/python -m tests.faults --long --no-defects

soak: install ## 1,500,000 signals under kills, resets and rebalances; takes an hour or more
	$(BIN)/python -m tests.faults --soak

lock: ## resolve the dependencies anew into requirements.lock
	test -x $(BIN)/uv || $(MAKE) install
	$(BIN)/uv pip compile pyproject.toml --extra embedded --group dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate -o requirements.lock
	$(BIN)/uv pip compile pyproject.toml --constraint requirements.lock --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate -o deploy/requirements-image.lock

sbom: install ## bill of materials (CycloneDX) of everything locked, as build/sbom.cdx.json
	$(BIN)/python -m tests.supply.sbom build/sbom.cdx.json

audit: install ## known vulnerabilities of everything locked; asks a service on the internet
	$(BIN)/python -m tests.supply.audit

clean: ## remove everything that the commands above made inside the checkout
	find $(FOLDERS) -name '*.so' -delete
	rm -rf $(VENV) .typing .cache .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .coverage* build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
