# Gen3D. `make help` lists what there is; everything installs what it needs by itself.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

ifeq ($(filter output-sync,$(.FEATURES)),)
$(error Gen3D needs GNU make 4 or newer, this is $(MAKE_VERSION). On macOS: brew install make, then gmake in the place of make)
endif

PYTHON ?= python3
BIN := .venv/bin
UV := $(BIN)/uv
PY_SOURCES := layers functions statemachines container training client local cloud docs/generate bench tests requirements webapp examples conftest.py

# What `make run` is told.
ONESHOT ?=
IMAGE ?= examples/coffee.jpg
# The sample photo is clicked on the cup and twice on its saucer; another one only where you say.
CLICK ?= $(if $(filter examples/coffee.jpg,$(IMAGE)),226$(comma)232 394$(comma)232 330$(comma)330)
comma := ,
OUT ?= out
# Options of the object, such as "mesh.quality=fine engine.seed=3".
OPTIONS ?=

# Of `make fuzz` and `make mutate`.
REQUESTS ?= 2000
MODULES ?=

# What is deployed to, and what `make image` builds.
STACK ?= gen3d
BUCKET ?=
ENGINE ?= lite
BASE ?=
WEIGHTS ?= weights
JOB ?=
SINCE ?=
LOOK ?=
PARAMETERS ?=
LOCAL ?=
PORT ?=
# Says that AWS is the stack that `make run` has started.
LOCALLY = $(if $(LOCAL),AWS_ENDPOINT_URL='$(LOCAL)' AWS_ACCESS_KEY_ID=test \
	AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION=us-east-1)
WHAT ?= records
AT ?=

.PHONY: help
help: ## Show this help
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) \
		| awk -F ':.*## ' '{printf "  \033[1m%-14s\033[0m %s\n", $$1, $$2}'

# Use

# By the environment, for a file may be called what a shell would read as its own.
run: export IMAGE := $(IMAGE)
run: export CLICK := $(CLICK)
run: export OUT := $(OUT)
.PHONY: run
run: setup $(if $(ONESHOT),,web) ## Run a photo through the whole job and stay up (ONESHOT=1 IMAGE= CLICK="x,y -x,y" OPTIONS= OUT=)
	@$(BIN)/python -m gen3d_local run --image="$$IMAGE" --click="$$CLICK" --out="$$OUT" $(OPTIONS:%=--option='%') \
		$(if $(ONESHOT),--oneshot)

.PHONY: web
web: webapp/dist/index.html ## Build the web app

webapp/dist/index.html: webapp/node_modules/.ready $(shell find webapp/src webapp/public webapp/*.html webapp/vite*.ts examples -type f)
	@cd webapp && npm run --silent build

.PHONY: deploy-web
deploy-web: setup web ## Publish the web app to a deployed stack (STACK=)
	@$(BIN)/python -m gen3d_cloud.publish --stack '$(STACK)'

.PHONY: page
page: setup web ## Serve the page here, for a stack without CloudFront (STACK= PORT= LOCAL=http://…)
	@$(LOCALLY) $(BIN)/python -m gen3d_cloud.page --stack '$(STACK)' $(if $(PORT),--port '$(PORT)') \
		$(if $(LOCAL),--at '$(LOCAL)')

.PHONY: clean
clean: ## Forget the local stack's state and everything built
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m gen3d_local clean; fi
	@rm -rf build out webapp/dist

# In AWS

.PHONY: preflight
preflight: setup ## Look whether all is ready to deploy (STACK= ENGINE= PARAMETERS=)
	@$(BIN)/python -m gen3d_cloud.preflight --stack '$(STACK)' --engine '$(ENGINE)' \
		--parameters '$(PARAMETERS)'

.PHONY: deploy
deploy: setup ## Look, build and deploy (STACK= PARAMETERS='Name=value …')
	@$(BIN)/python -m gen3d_cloud.deploy --stack '$(STACK)' --parameters '$(PARAMETERS)'

.PHONY: image
image: .venvs/smoke/.ready ## Build the inference image in AWS and stage its weights (STACK= ENGINE=lite|open|sam BASE=)
	@SAGEMAKER_SUPPRESS_V2_WARNING=1 .venvs/smoke/bin/python -m gen3d_cloud.image --stack '$(STACK)' --engine '$(ENGINE)' --base '$(BASE)'

.PHONY: stage-lite
stage-lite: .venvs/container/.ready ## Put the lite weights into a bucket without a build (BUCKET=)
	@PYTHONPATH=layers/gen3d/src:container/src .venvs/container/bin/python -m gen3d_inference.weights_upload container/weights/lite --bucket '$(BUCKET)'

.PHONY: fetch-weights
fetch-weights: .venvs/torch/.ready ## Fetch an engine's weights here (ENGINE=open|sam WEIGHTS= BUCKET=, HF_TOKEN and SAM=3|3.1 for sam)
	@.venvs/torch/bin/python -m gen3d_inference.engines.$(if $(filter open,$(ENGINE)),open,sam) fetch-weights --out '$(WEIGHTS)' \
		$(if $(BUCKET),--bucket '$(BUCKET)') $(if $(SAM),--sam '$(SAM)')

.PHONY: smoke
smoke: .venvs/smoke/.ready ## Try a deployed endpoint: one invocation of each task (STACK=)
	@SAGEMAKER_SUPPRESS_V2_WARNING=1 .venvs/smoke/bin/python -m gen3d_cloud.smoke --stack '$(STACK)'

.PHONY: verify
verify: setup ## Try a deployed stack whole, from sign-in to mail (STACK= LOOK=1 LOCAL=http://…)
	@$(LOCALLY) $(BIN)/python -m gen3d_cloud.verify --stack '$(STACK)' \
		$(if $(LOCAL),--at '$(LOCAL)') $(if $(LOOK),--look)

.PHONY: retry
retry: setup ## Take failed jobs up again where they failed (STACK= JOB=… | SINCE=6h)
	@$(BIN)/python -m gen3d_cloud.retry --stack '$(STACK)' $(if $(JOB),--job '$(JOB)') \
		$(if $(SINCE),--since '$(SINCE)')

.PHONY: replay
replay: setup ## Give functions again what ended as a dead letter (STACK= LOOK=1)
	@$(BIN)/python -m gen3d_cloud.replay --stack '$(STACK)' $(if $(LOOK),--look)

.PHONY: restore
restore: setup ## Bring back what was lost: records, a table, files (STACK= WHAT=records AT=6h)
	@$(BIN)/python -m gen3d_cloud.restore '$(WHAT)' --stack '$(STACK)' $(if $(AT),--at '$(AT)')

# Quality

.PHONY: quick
quick: setup webapp/node_modules/.ready ## After each change: ruff, mypy, tests without AWS, the page's of what changed
	@$(MAKE) --no-print-directory --jobs=2 --output-sync --keep-going quick-rest quick-layers quick-types quick-web

# What takes longest first, on two processors.
.PHONY: quick-rest quick-layers quick-types quick-web
quick-rest:
	@$(BIN)/python -m pytest --quick tests cloud client functions container training local
quick-layers:
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/python -m pytest --quick layers
quick-types:
	@$(BIN)/mypy --no-error-summary $(PY_SOURCES)
quick-web:
	@cd webapp && npx --no-install vitest run --changed --passWithNoTests --silent --reporter=dot
	@echo "left to make lint: import-linter, cfn-lint, sam validate, hadolint, Biome, the documents"
	@echo "left to make test: the page's tests of what is as it was committed"

.PHONY: test
test: setup web functions/mesh/tests/node_modules/.ready .venvs/torch/.ready .venvs/smoke/.ready ## Run every test
	@$(BIN)/python tests/system_packages.py chromium jq libusb-1.0-0 libgl1 libopengl0 libgomp1
	@cd webapp && npm test --silent
	@# Two at a time, each by itself: the workflow tests patch the interpreter, the browser's driver
	@# keeps a loop.
	@$(MAKE) --no-print-directory --jobs=2 --output-sync test-browser test-python test-covered test-local test-torch

.PHONY: test-browser test-python test-covered test-local test-torch
test-browser:
	@$(BIN)/python -m pytest tests/browser
test-python:
	@$(BIN)/python -m pytest tests/workspace tests/docs tests/bench tests/infra cloud container tests/workflow
# Measured where it says something, and apart from what runs the state machine: that adds nothing.
test-covered:
	@$(BIN)/coverage run -m pytest layers functions tests/unit
	@$(BIN)/coverage report
test-local:
	@$(BIN)/python -m pytest local tests/local
test-torch:
	@.venvs/torch/bin/python -m pytest training/tests container/tests/sam container/tests/open container/tests/test_engine.py

.PHONY: test-faults
.PHONY: test-upstream
test-upstream: setup ## Hold the sam engine against Meta's own code, where Git can fetch it
	@if sources=$$($(BIN)/python -m container.tests.sam.objects.checkouts build/upstream); then \
		$(MAKE) --no-print-directory .venvs/upstream/.ready && GEN3D_SAM3D_SOURCE=$$sources \
			.venvs/upstream/bin/python -m pytest container/tests/sam/objects; \
	else echo "Skipped: the sam engine against upstream's code; make test counts its tests."; fi

test-faults: setup ## Every task and edge × every fault, and kill -9 (many minutes); ends with a table
	@GEN3D_EXAMPLES=1000 $(BIN)/python -m pytest tests/workflow/test_random_order.py tests/faults \
		--show-capture=no --timeout=1800

.PHONY: image-check
image-check: setup .venvs/sam-cli/.ready ## Build the images by Docker, start them as AWS does, do a job with each (as root)
	@$(BIN)/python tests/system_packages.py docker.io docker-registry mmdebstrap
	@$(BIN)/python -m tests.images

.PHONY: reproducible
reproducible: setup .venvs/sam-cli/.ready ## Build what is uploaded twice, and compare (two minutes)
	@$(BIN)/python -m tests.images.reproducible

.PHONY: wheel
wheel: setup ## Build gen3d-mesh and gen3d-client, and try them in empty environments (asks the index)
	@rm -rf build/wheels
	@GEN3D_WHEELS="$(CURDIR)/build/wheels" $(BIN)/python -m pytest tests/wheel tests/local/test_installed_client.py --timeout=1200

.PHONY: client-js
client-js: webapp/node_modules/.ready ## Pack the page's client for others (build/gen3d-client-*.tgz)
	@mkdir -p build
	@cd webapp/src/api && npm pack --silent --pack-destination "$(CURDIR)/build"

.PHONY: fuzz
fuzz: setup ## Send the API requests that nobody foresaw, for at most an hour (REQUESTS= a route)
	@GEN3D_FUZZ=$(REQUESTS) timeout --signal=INT 3600 $(BIN)/python -m pytest tests/unit/api/test_openapi.py \
		-k every_answer_is_described --timeout=0

.PHONY: mutate
mutate: setup .venvs/mutation/.ready ## Change the code, and list what no test finds (MODULES="gen3d_aws.runs …")
	@PYTHONPATH=. .venvs/mutation/bin/python -m tests.mutation $(MODULES)

.PHONY: openapi-parser
openapi-parser: .venvs/openapi/.ready ## Install the parser that reads docs/openapi.json as most tools do (needs Java)

.PHONY: lint
lint: setup .venvs/sam-cli/.ready node_modules/.ready webapp/node_modules/.ready ## Run every checker
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy $(PY_SOURCES)
	@$(BIN)/lint-imports
	@$(BIN)/hadolint container/Dockerfile container/function/Dockerfile functions/mesh/Dockerfile
	@$(BIN)/python -m statemachines --check
	@$(BIN)/python -m docs.generate.copies --check
	@$(BIN)/cfn-lint -t template.yaml -a cfn_lint_serverless.rules
	@mkdir -p build
	@sed 's/$${[A-Za-z]*}/60/g' statemachines/gen3d.asl.yaml > build/gen3d.asl.yaml
	@npx --no-install asl-validator --yaml-path build/gen3d.asl.yaml
	@cd webapp && npm run --silent lint
	@SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=us-east-1 .venvs/sam-cli/bin/sam validate --lint
	@$(BIN)/python -m docs.generate --check

.PHONY: retries
retries: setup ## Write statemachines/retries.yaml out in the state machine
	@$(BIN)/python -m statemachines

.PHONY: copies
copies: setup ## Write what page, template and the API's description repeat of the code
	@$(BIN)/python -m docs.generate.copies

.PHONY: docs
docs: setup ## Fill the documents' generated parts
	@$(BIN)/python -m docs.generate

.PHONY: licences
licences: setup ## Write LICENSES.md from the locks and what packages say (asks the index; two minutes)
	@$(BIN)/python -m docs.generate.licences

.PHONY: format
format: setup ## Format the code
	@$(BIN)/ruff check --fix . && $(BIN)/ruff format .

.PHONY: bench
bench: bench-mesh bench-lite bench-web ## Run the benchmarks

.PHONY: bench-mesh
bench-mesh: setup ## Compare ways from a splat to a mesh
	@$(BIN)/python tests/system_packages.py libusb-1.0-0 libgl1 libopengl0 libgomp1
	@$(BIN)/python -m bench.mesh

.PHONY: bench-readers
bench-readers: setup functions/mesh/tests/node_modules/.ready ## Give a mesh to every program that reads what we write (Blender, a slicer, …)
	@$(BIN)/python tests/system_packages.py blender python3-numpy assimp-utils prusa-slicer libgl1 libopengl0
	@$(BIN)/python -m bench.readers

.PHONY: bench-lite
bench-lite: .venvs/torch/.ready ## Measure the lite engine's masks and solids
	@.venvs/torch/bin/python -m bench.lite

.PHONY: bench-web
bench-web: setup web .venvs/torch/.ready ## Measure the web app in Chromium (BESIDE=COMMIT to compare clicks)
	@.venvs/torch/bin/python -m bench.web.sam_decoder build/sam-decoder.onnx
	@$(BIN)/python -m bench.web --decoder 'SAM 3 (random weights)=build/sam-decoder.onnx' \
		$(if $(BESIDE),--beside '$(BESIDE)')

.PHONY: bench-load
bench-load: setup ## Load the local stack: 20 people, 200 jobs (AGAINST=COMMIT to compare)
	@$(BIN)/python -m bench.load --recorded --save $(if $(AGAINST),--against '$(AGAINST)')

.PHONY: bench-authorizer
bench-authorizer: setup ## Measure what the authorizer adds to a call, by a token and by a key (a minute)
	@$(BIN)/python -m bench.load.authorizer

.PHONY: bench-drafts
bench-drafts: setup ## Measure how long a person waits for a draft, while the endpoint sleeps (two minutes)
	@$(BIN)/python -m bench.drafts

.PHONY: simulate
simulate: setup ## Simulate waits and cost by load, instance type and pool (a minute)
	@$(BIN)/python -m bench.simulation

.PHONY: bench-gpu
bench-gpu: .venvs/torch/.ready ## Measure sam and open at full size (one GPU, random weights, GEN3D_TRIPOSPLAT, GEN3D_SAM3D_DINOV2)
	@.venvs/torch/bin/python -m bench.gpu $(if $(BESIDE),--beside $(BESIDE)) --out bench/gpu/RESULTS.md
	@.venvs/torch/bin/python -m bench.gpu.objects $(if $(BESIDE),--beside $(BESIDE)) --out bench/gpu/OBJECTS.md
	@.venvs/torch/bin/python -m bench.gpu.triposplat --out bench/gpu/OPEN.md

.PHONY: train-lite
train-lite: .venvs/torch/.ready ## Train the lite engine's networks anew (one GPU, about 45 minutes)
	@.venvs/torch/bin/python -m gen3d_lite_training

# Set-up: one environment to develop in, and one for each part that runs by itself

# Python keeps the bytecode of what it imports. Where it is told not to, each of the many processes
# that a stack and its tests start would compile all of it anew.
ifdef PYTHONDONTWRITEBYTECODE
BYTECODE := --compile-bytecode
endif

.PHONY: setup
setup: .venv/.ready .venvs/lambda/.ready .venvs/mesh/.ready .venvs/lite/.ready .venvs/container/.ready .venvs/packages/.ready ## Install what running needs; after it a run asks no network
setup: $(if $(shell command -v npm),webapp/node_modules/.ready)

.venv/.ready: requirements/dev.txt requirements/workspace.py
	@$(PYTHON) -c 'import sys; sys.exit("Gen3D needs Python 3.11 or newer; set PYTHON=") if sys.version_info < (3, 11) else None'
	@echo "Setting up .venv (once) ..."
	@test -x $(UV) || { $(PYTHON) -m venv .venv && $(BIN)/python -m pip install -q "$$(grep '^uv==' $<)"; }
	@$(UV) pip sync -q $(BYTECODE) --python $(BIN)/python $<
	@$(BIN)/python requirements/workspace.py $(@D)
	@touch $@

.venvs/lambda/.ready .venvs/mesh/.ready .venvs/lite/.ready .venvs/container/.ready: COMPILE = $(BYTECODE)
.venvs/lambda/.ready: requirements/lambda.txt
.venvs/mesh/.ready: functions/mesh/requirements.txt
.venvs/lite/.ready: container/function/requirements.txt
.venvs/container/.ready: container/requirements.txt
.venvs/sam-cli/.ready: requirements/sam-cli.txt
.venvs/mutation/.ready: requirements/mutation.txt
# What `sam build` would put into the layer.
.venvs/packages/.ready: layers/gen3d/src/requirements.txt | .venv/.ready
	@$(BIN)/python -m local_aws.environments $<
	@touch $@

.venvs/%/.ready: | .venv/.ready
	@echo "Setting up $(@D) (once) ..."
	@$(UV) venv -q --clear --python $(BIN)/python $(@D)
	@$(UV) pip sync -q $(COMPILE) --python $(@D)/bin/python $<
	@touch $@

.venvs/smoke/.ready: requirements/smoke.txt requirements/workspace.py | .venv/.ready
	@echo "Setting up $(@D) (once) ..."
	@$(UV) venv -q --clear --python $(BIN)/python $(@D)
	@$(UV) pip sync -q --python $(@D)/bin/python $<
	@$(BIN)/python requirements/workspace.py $(@D)
	@touch $@

# Both torches come through pip, whose settings may name other builds of them than those for CUDA.
.venvs/torch/.ready: requirements/torch.txt requirements/workspace.py | .venv/.ready
	@echo "Setting up $(@D) (once) ..."
	@$(BIN)/python -m venv --clear $(@D)
	@$(@D)/bin/python -m pip install -q --disable-pip-version-check $$(grep -E '^torch(vision)?==' $<)
	@$(UV) pip install -q --python $(@D)/bin/python -r $<
	@$(BIN)/python requirements/workspace.py $(@D)
	@touch $@

# Its packages, and behind them those of the environment with torch.
.venvs/upstream/.ready: requirements/upstream.txt .venvs/torch/.ready
	@echo "Setting up $(@D) (once) ..."
	@$(UV) venv -q --clear --python $(BIN)/python $(@D)
	@$(UV) pip sync -q --python $(@D)/bin/python $<
	@for packages in $(@D)/lib/python3*/site-packages; do \
		echo "import site; site.addsitedir('$(CURDIR)/.venvs/torch/lib/$$(basename $$(dirname \
			$$packages))/site-packages')" > $$packages/torch.pth; done
	@touch $@

# swagger-parser, in the wheel of a generator. It stands by itself: only one test asks for it.
.venvs/openapi/.ready: | .venv/.ready
	@$(UV) venv -q --clear --python $(BIN)/python $(@D)
	@$(UV) pip install -q --python $(@D)/bin/python openapi-generator-cli==7.26.0
	@touch $@

node_modules/.ready: package-lock.json
webapp/node_modules/.ready: webapp/package-lock.json
functions/mesh/tests/node_modules/.ready: functions/mesh/tests/package-lock.json
node_modules/.ready webapp/node_modules/.ready functions/mesh/tests/node_modules/.ready:
	@cd $(dir $(@D)) && npm ci --silent --no-audit --no-fund
	@touch $@

.PHONY: lock
lock: .venv/.ready ## Resolve the requirements anew
	@for part in layers/gen3d/src functions/mesh container container/function; do \
		(cd $$part && "$(CURDIR)/$(UV)" pip compile -q --universal --python-version 3.11 \
			--custom-compile-command "make lock" requirements.in -o requirements.txt); done
	@# Compiled packages for one GPU stack: resolved for the image alone.
	@cd container && "$(CURDIR)/$(UV)" pip compile -q --custom-compile-command "make lock" \
		--python-version 3.12 --python-platform x86_64-manylinux_2_28 \
		requirements-sam.in -o requirements-sam.txt
	@cd container && "$(CURDIR)/$(UV)" pip compile -q --custom-compile-command "make lock" \
		--python-version 3.12 --python-platform x86_64-manylinux_2_28 \
		requirements-open.in -o requirements-open.txt
	@for name in lambda sam-cli smoke torch upstream dev mutation; do \
		$(UV) pip compile -q --universal --python-version 3.11 --custom-compile-command "make lock" \
			$$(test ! -e requirements/$$name.exclude || echo --excludes requirements/$$name.exclude) \
			requirements/$$name.in -o requirements/$$name.txt; done
