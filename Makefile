# Every verb a person or CI needs. Only GNU make and Python 3.10 or later must be there already.

JOBS ?= 2
SCENARIO ?=
UF2 ?=
MINUTES ?=
TARGET ?=
PORT ?=
BOARD ?= rp2040-reference
ARGS ?=

BIN := .venv/bin
READY := .venv/.inletctl node_modules/.stamp
TYPINGS := typings/.stamp typings-esp32/.stamp

.DEFAULT_GOAL := help
.PHONY: help setup demo sim emu flash test lint types unit docs fuzz perf reactions campaign soak bench monitor mutate mpy clean distclean

help: ## list the verbs
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: $(READY) $(TYPINGS) ## install all that is needed, into this folder only
	@echo "Set up. Next: make demo"

demo: $(READY) ## a charge session, simulated and shown as a page in build/demo
	$(BIN)/inletctl demo --out build/demo

sim: $(READY) ## simulate one scenario: make sim SCENARIO=...
	@test -n "$(SCENARIO)" || { \
	  echo "make sim: no scenario given; say which one, as in 'make sim SCENARIO=NAME', with a name from inletctl/scenarios/." >&2; \
	  exit 2; }
	$(BIN)/inletctl sim "$(SCENARIO)"

emu: $(READY) ## a scenario on the emulated RP2040: make emu [SCENARIO=...] [UF2=...]
	$(BIN)/inletctl emu "$(or $(SCENARIO),stop_and_release)" $(if $(UF2),--uf2 "$(UF2)") --out build/emu

flash: $(READY) ## put the firmware on a board: make flash PORT=... [BOARD=...]
	@test -n "$(PORT)" || { \
	  echo "make flash: no port given; say which one, as in 'make flash PORT=/dev/ttyACM0'." >&2; \
	  exit 2; }
	$(BIN)/inletctl flash --port "$(PORT)" --board "$(BOARD)"

test: $(READY) $(TYPINGS) ## all checks and all tests, then a summary (JOBS=2, or auto)
	@$(BIN)/python tools/check.py --jobs $(JOBS)

lint: $(READY) ## style only: ruff
	@$(BIN)/python tools/check.py lint

types: $(READY) $(TYPINGS) ## types only: pyright, on host code and on firmware
	@$(BIN)/python tools/check.py types

unit: $(READY) ## pytest only: make unit ARGS="-k lock"
	$(BIN)/pytest -n $(JOBS) $(ARGS)

bench: $(READY) ## a recipe: make bench [RECIPE=conformance] [PORT=... GENERATOR=manual|pico:PORT|VISA]
	$(BIN)/inletctl bench "$(or $(RECIPE),conformance)" --out build/bench $(if $(PORT),--target board --port "$(PORT)" --generator "$(or $(GENERATOR),manual)")

monitor: $(READY) ## watch a board live: make monitor [PORT=...], else the simulation
	$(BIN)/inletctl monitor $(if $(PORT),--port "$(PORT)",--target sim)

fuzz: $(READY) ## feed what reads bytes with bytes nobody meant: make fuzz [MINUTES=10] [ARGS=TARGET...]
	$(BIN)/inletctl fuzz --minutes "$(or $(MINUTES),10)" $(ARGS)

docs: $(READY) ## write the generated pages anew
	$(BIN)/inletctl docs

perf: $(READY) ## measure speed and timing, into build/perf
	$(BIN)/inletctl perf --out build/perf

reactions: $(READY) ## measure reaction times anew and print them into README.md: make reactions [UF2=...]
	$(BIN)/inletctl reactions $(if $(UF2),--uf2 "$(UF2)") $(ARGS)

campaign: $(READY) ## break things in 20,000 sessions: make campaign [SEED=1] [SESSIONS=20000]
	$(BIN)/inletctl campaign --seed "$(or $(SEED),1)" --sessions "$(or $(SESSIONS),20000)" --jobs $(JOBS) --figures "build/campaign/campaign-$(or $(SEED),1).json"

soak: $(READY) ## sessions back to back: make soak [SESSIONS=10000], or TARGET=emu [MINUTES=30] [UF2=...]
ifeq ($(TARGET),emu)
	$(BIN)/inletctl soak --target emu --minutes "$(or $(MINUTES),30)" $(if $(UF2),--uf2 "$(UF2)") --figures build/soak/soak-emu.json
else
	$(BIN)/inletctl soak --sessions "$(or $(SESSIONS),10000)" --figures build/soak/soak.json
endif

mutate: $(READY) ## are the tests tested? make mutate [ROOM=lock] [ARGS="--sample 200"]
	$(BIN)/inletctl mutate $(if $(ROOM),--room "$(ROOM)") $(ARGS)

mpy: $(READY) ## compile every firmware file as the board would, into build/mpy
	@$(BIN)/python tools/check.py mpy

clean: ## delete what was built
	rm -rf build inletctl.egg-info .hypothesis
	find firmware inletctl host_tests tools -name __pycache__ -prune -exec rm -rf {} +

distclean: clean ## delete what was installed, too
	rm -rf .venv node_modules typings typings-esp32

# A stamp is written last, so a set-up that broke off is made anew.
.venv/.stamp: requirements.lock
	@sh tools/setup.sh venv

.venv/.inletctl: pyproject.toml .venv/.stamp
	@sh tools/setup.sh inletctl

node_modules/.stamp: package.json package-lock.json | .venv/.stamp
	@sh tools/setup.sh node

typings/.stamp: typings.lock | .venv/.stamp
	@sh tools/setup.sh typings

typings-esp32/.stamp: typings-esp32.lock | .venv/.stamp
	@sh tools/setup.sh typings-esp32

# A .venv holds absolute paths: one that came along with a copied folder, or whose Python has
# gone, is made anew as well. .venv/.stamp holds the folder it was made in.
ifneq ($(shell test -x .venv/bin/python && cat .venv/.stamp 2>/dev/null),$(CURDIR))
.PHONY: .venv/.stamp
endif
