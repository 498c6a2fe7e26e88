# EchoPulse. `make` alone lists the targets. All that is needed beforehand: Python 3.11 and make (Linux, x86-64).
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help bootstrap train-environment drift-environment airflow-environment airflow run test proofs lint proto bench dev build precommit compose-up lock clean

BIN := .venv/bin
READY := .venv/.bootstrapped
AIRFLOW_READY := .venv-airflow/.bootstrapped
COMPOSE := docker compose -f infra/compose.yaml
export PYTHON

help: ## List the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

bootstrap: $(READY) ## Make .venv with what uv.lock pins

$(READY): uv.lock pyproject.toml setup.py infra/bootstrap infra/index_settings.bash infra/uv.txt infra/stubs.py $(wildcard schemas/*.proto)
	@infra/bootstrap

train-environment: bootstrap ## What training a transformer needs besides: torch, 5 GB
	@infra/bootstrap train

drift-environment: bootstrap ## What the reports of drift need besides: Evidently
	@infra/bootstrap drift

airflow-environment: $(AIRFLOW_READY) ## Make .venv-airflow with what infra/airflow.txt pins, 280 MB

$(AIRFLOW_READY): infra/airflow.txt infra/airflow_environment infra/index_settings.bash | bootstrap
	@infra/airflow_environment

airflow: airflow-environment ## Airflow beside the stack of `echopulse up`, until Ctrl-C
	@$(BIN)/python infra/airflow_service.py

run: bootstrap ## Start everything on simulated chat and show it live
	@$(BIN)/echopulse run

dev: bootstrap ## As run, and restart what changed
	@$(BIN)/echopulse run --dev

test: bootstrap ## The tests: first those of seconds, then those with real servers
	$(BIN)/python -m pytest -m "not system" -n 2
	$(BIN)/python -m pytest -m "system and not proof" -n 2 --dist loadscope

proofs: bootstrap ## The whole stories on real servers, some twenty minutes
	$(BIN)/python -m pytest -m proof -n 2 --dist loadscope

lint: bootstrap ## Rules, format, types, layers
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

precommit: lint test ## Lint, types and tests

proto: bootstrap ## Regenerate the protobuf stubs
	@$(BIN)/python infra/stubs.py

bench: bootstrap ## Measure events per second, end to end
	@$(BIN)/python -m bench

build: bootstrap ## Wheel, sdist and image of a release: make build TAG=v1.2.0
	@infra/build "$(TAG)"

compose-up: ## Kafka, Flink, Valkey and S3 as containers
	@docker info >/dev/null 2>&1 || { echo "compose-up: no Docker engine answers; 'make run' needs none" >&2; exit 1; }
	@docker compose version >/dev/null 2>&1 || { echo "compose-up: docker has no compose plug-in (Debian: docker-compose-v2)" >&2; exit 1; }
	$(COMPOSE) up --build --detach --wait

lock: bootstrap ## Resolve the dependencies again and neutralise the lock
	@infra/lock

clean: ## Remove what was built (not .venv, not .echopulse)
	rm -rf build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find schemas -name '*_pb2.py' -delete -o -name '*_pb2.pyi' -delete
	rm -f $(READY)
