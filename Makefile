# hopquote: build, try, test. Needs Go and make, nothing else.

GO          ?= go
PREFIX      ?= /usr/local
STATICCHECK ?= honnef.co/go/tools/cmd/staticcheck@v0.8.2
FUZZTIME    ?= 10s
CLANG       ?= clang-14
OBJCOPY     ?= llvm-objcopy-14
TESTFLAGS   ?=

# A busy machine takes longer than the ten minutes that go test gives a package.
TESTTIMEOUT ?= 30m

# Those that take longest begin first, and the others fill the time.
TESTS = ./cmd/internal/survey ./cmd/hopquote ./...

export CGO_ENABLED ?= 0

.PHONY: build demo test check format vet staticcheck race fuzz bench generate install clean

PROGRAMS = bin/hopquote bin/hopquote-survey bin/hopquote-quotes bin/hopquote-bench

build: $(PROGRAMS)

# Go knows best what has changed.
.PHONY: $(PROGRAMS)
$(PROGRAMS):
	$(GO) build -trimpath -o $@ ./cmd/$(@F)

# Trace through a network of namespaces, as root or as an ordinary user.
demo: build
	bin/hopquote demo

test:
	$(GO) test -timeout $(TESTTIMEOUT) $(TESTFLAGS) $(TESTS)

# All that has to be true of a commit.
check: format vet staticcheck race test

format:
	@bad=$$(gofmt -l .); test -z "$$bad" || { echo "not gofmt'ed: $$bad"; exit 1; }

vet:
	$(GO) vet ./...

staticcheck:
	$(GO) run $(STATICCHECK) ./...

# The race detector needs a C compiler.
race:
	CGO_ENABLED=1 $(GO) test -race -timeout $(TESTTIMEOUT) $(TESTFLAGS) $(TESTS)

# Every fuzz target for FUZZTIME.
fuzz:
	@for p in $$($(GO) list ./...); do \
	  for f in $$($(GO) test -list '^Fuzz' $$p | grep ^Fuzz); do \
	    echo "$$p $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1x $$p || exit 1; \
	  done; \
	done

# One Markdown report: the Go benchmarks, ready for benchstat, and hopquote bench.
BENCHFLAGS ?=
bench: build
	@printf '# Go benchmarks\n\n```\n'; \
	  $(GO) test -run '^$$' -bench . -benchmem $(BENCHFLAGS) ./... | grep -v 'no test files'; \
	  printf '```\n\n'
	@bin/hopquote bench all --format=markdown

# Compiles the eBPF program anew. A test compares it with its source, and needs
# the same compiler for that: clang-14 and llvm-14 of Debian 12.
BPF        = bench/simnet/internet/bpf
BPF_OBJECT = $(BPF)/internet_bpfel.o
generate:
	$(CLANG) -O2 -g -Wall -Wextra -Werror -fno-strict-aliasing -target bpfel -mcpu=v3 \
	  -fdebug-compilation-dir=. -fdebug-prefix-map=$(CURDIR)=. -c $(BPF)/internet.bpf.c -o $(BPF_OBJECT)
	$(OBJCOPY) --strip-debug --remove-section=.BTF.ext --remove-section=.rel.BTF.ext $(BPF_OBJECT)

install: build
	install -d $(DESTDIR)$(PREFIX)/bin
	install -m 755 $(PROGRAMS) $(DESTDIR)$(PREFIX)/bin

clean:
	rm -rf bin
