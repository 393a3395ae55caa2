# SPDX-License-Identifier: GPL-3.0-or-later
# Thin front to Meson. `make` builds, `make demo` shows, `make test` checks; the rest is for developers.
BUILD ?= build
PREFIX ?= /usr/local
SANITIZE ?=
SUITE ?=

# A sanitized build lives in a folder of its own, because nothing of it mixes with a fast one.
comma := ,
ifneq ($(SANITIZE),)
BUILD := build-$(subst $(comma),-,$(SANITIZE))
SETUP := -Db_sanitize=$(SANITIZE) -Db_lundef=false --buildtype=debugoptimized
endif

all: $(BUILD)/build.ninja
	@ninja -C $(BUILD)

$(BUILD)/build.ninja:
	@tools/install-deps build
	@meson setup $(BUILD) $(SETUP) --prefix=$(PREFIX)

demo: all
	@BUILD=$(BUILD) tools/demo

test: all
	@tools/install-deps test
	@meson test -C $(BUILD) --print-errorlogs $(if $(SUITE),--suite $(SUITE))

bench: all
	@BUILD=$(BUILD) bench/run

bench-peers: all
	@BUILD=$(BUILD) bench/peers

# Neural posteriors against the reference posteriors of sbibm; TASK=slcp: one of them. Half an hour and more.
validate: all
	@tools/install-deps validate
	@BUILD=$(BUILD) tools/validate $(if $(TASK),--task $(TASK))

accuracy: all
	@BUILD=$(BUILD) tools/accuracy

lint:
	@tools/install-deps build lint
	@tools/lint

# The place of the installed data is compiled in, so another PREFIX means configuring and building again.
install: all
	@meson configure $(BUILD) --prefix=$(abspath $(PREFIX))
	@ninja -C $(BUILD)
	@meson install -C $(BUILD) --no-rebuild

clean:
	rm -rf build build-* demo

.PHONY: all demo test bench bench-peers validate accuracy lint install clean
