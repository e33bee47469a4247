# Everything in one command each, on a machine that has Python 3.11 or later and make. PYTHON=... names another Python.

.PHONY: help train test coverage bench records faults fuzz mutants soak lowest wheels docs

help:  ## list these commands
	@sed -n 's/^\([a-z]*\): .*##/make \1:/p' Makefile

train: .venv/.core  ## set up, then train the default network on MNIST (or on the bundled digits)
	.venv/bin/deltarule train

test: .venv/.dev  ## set up, then run every check and every test
	@said=$$(mktemp); scripts/check >$$said 2>&1 & checks=$$!; scripts/test; tests=$$?; \
	wait $$checks; found=$$?; cat $$said; rm $$said; exit $$((tests | found)) # beside each other: mypy takes one core

coverage: .venv/.dev  ## run every test, and print which branches none of them takes (half as long again as the tests)
	scripts/test --cov --cov-report=term

bench: .venv/.dev  ## run the benchmarks, which write benchmarks/results
	for each in startup epoch busy latency deform kinds tables sparse checkpoint ink drawn_digits doubt playground page_engine pointer page_session peers scaling recipes ladder estimators; do .venv/bin/python benchmarks/$$each.py || exit 1; done

records: .venv/.dev  ## go on with the runs of benchmarks/records/plan.toml for MINUTES (100), on held-out images (FINAL=--final: on all)
	.venv/bin/python benchmarks/records.py --minutes $(or $(MINUTES),100) $(FINAL)

faults: .venv/.dev  ## inject every fault (some minutes), and write benchmarks/results/faults.json
	.venv/bin/python tests/faults/faults.py

fuzz: .venv/.dev  ## mutate files and messages for two minutes each, and print how many were read or refused
	.venv/bin/python tests/faults/fuzz.py

mutants: .venv/.dev  ## change the code in one place at a time for MINUTES (60), and print which changes no test notices
	.venv/bin/python tests/faults/mutants.py --minutes $(or $(MINUTES),60)

soak: .venv/.dev  ## churn, stop and starve a server and a run for SOAK_MINUTES (15), and compare memory and descriptors
	.venv/bin/python tests/faults/soak.py

docs: .venv-docs/.docs  ## build the site into build/docs/html, and check its links, numbers and answers
	.venv-docs/bin/python scripts/docs

lowest:  ## run the tests on Python 3.11 and the lowest versions that pyproject.toml allows
	scripts/lowest

wheels: .venv/.dev  ## build a wheel for each platform into dist/ (zig compiles for all of them), and test Linux's
	.venv/bin/python -m pip install --quiet --group wheels
	.venv/bin/python scripts/wheels
	scripts/test-wheel

# Not compiled: Python does it when a module is first imported, and most never are.
.venv/.core: pyproject.toml
	scripts/setup .venv plot,page --no-compile
	@touch $@

.venv-docs/.docs: pyproject.toml
	scripts/setup .venv-docs all --group docs --no-compile
	@touch $@

.venv/.dev: pyproject.toml
	scripts/setup .venv all --group dev --no-compile
	@touch $@ .venv/.core
