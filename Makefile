# nudge: follow up until they answer, then stop.

GO      ?= go
YEARS   ?= 200
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
BUILD    = CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w -X main.version=$(VERSION)"

.DEFAULT_GOAL := help
.PHONY: help demo test check build bench audit judge screenshots spam prettier simulate mutants prove torture fuzz clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { line = sprintf("  make %-12s", $$1); n = split($$2, words, " "); \
		for (i = 1; i <= n; i++) { \
			if (length(line " " words[i]) > 80) { print line; line = sprintf("%19s", "") } \
			line = line " " words[i] } \
		print line }' $(MAKEFILE_LIST)

demo: ## see it work: three weeks in under 20 seconds, no account
	@$(GO) run ./cmd/nudge demo

test: ## run every test (real mail servers where they are installed)
	$(GO) test -timeout 20m ./...
	@if test "$$(id -u)" != 0 || ! PATH="$$PATH:/usr/sbin" command -v dovecot >/dev/null || ! PATH="$$PATH:/usr/sbin" command -v postconf >/dev/null; then \
		echo; echo "SKIPPED: the tests against real mail servers. They need root and: apt-get install postfix dovecot-imapd dovecot-lmtpd openssl"; fi

check: ## gofmt, vet, staticcheck and the tests under the race detector
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); test -z "$$unformatted" || { echo "gofmt would change:"; echo "$$unformatted"; exit 1; }
	$(GO) vet ./...
	$(GO) tool staticcheck ./...
	$(GO) test -race -shuffle=on -timeout 25m ./...

build: ## build the static binary ./nudge
	$(BUILD) -o nudge ./cmd/nudge

bench: ## run the benchmarks
	$(GO) test -run '^$$' -bench . -benchmem ./...

audit: ## look for known holes in what nudge is built of (asks vuln.go.dev and the module proxy)
	$(GO) run golang.org/x/vuln/cmd/govulncheck@v1.1.4 ./...
	$(GO) mod verify

judge: ## score the reading of mail on labelled mail: make judge CORPUS=dir (a labels.tsv with path and label, and the files)
	@test -f "$(CORPUS)/labels.tsv" || { echo "CORPUS=$(CORPUS) has no labels.tsv; say make judge CORPUS=dir"; exit 2; }
	@NUDGE_CORPUS="$(abspath $(CORPUS))" $(GO) test -count=1 -v -run '^TestCorpus$$' ./mailbox | sed -e '/^=== /d' -e 's/^ *classify_corpus_test.go:[0-9]*: //'

screenshots: ## make the pictures of docs/mails anew (needs chromium)
	NUDGE_SCREENSHOTS=1 $(GO) test -count=1 -timeout 15m -v -run '^TestScreenshots$$' ./cmd/nudge

spam: ## score every example mail with SpamAssassin, without a network (needs spamassassin)
	NUDGE_SPAM=1 $(GO) test -count=1 -timeout 30m -v -run '^TestSpamScores$$' ./cmd/nudge

prettier: ## let Prettier wrap every example: settings and mails stay the same (needs prettier)
	NUDGE_PRETTIER=1 $(GO) test -count=1 -v -run '^TestPrettierChangesNoExample$$' ./cmd/nudge

simulate: ## live through YEARS prospect-years (default 200) of crashes, outages and people: under a minute
	NUDGE_YEARS=$(YEARS) $(GO) test -count=1 -timeout 3h -v -run '^TestSimulate$$' ./engine/simtest

mutants: ## break the engine on purpose, in some thirty ways, and see the simulator catch each (about 5 minutes)
	NUDGE_TORTURE=1 $(GO) test -count=1 -timeout 40m -v -run '^TestMutantsAreCaught$$' ./engine/simtest

prove: ## the long proofs on real servers: fences, kills, roads, every byte of a session cut (about 20 minutes)
	NUDGE_PROVE=1 CI=true $(GO) test -count=1 -timeout 60m -v -run 'Real|AnyByte|Anywhere|OfMany|OwnMailReadsMany' ./cmd/nudge ./mailbox

torture: ## 200 kills, 4,000 fences, 1,000 races, restores, failing writes, power cuts (about 25 minutes, root)
	NUDGE_TORTURE=1 CI=true $(GO) test -count=1 -timeout 90m -v -run 'Torture' ./cmd/nudge

fuzz: ## run every fuzz target for FUZZTIME (default 30s) each
	@for pkg in $$($(GO) list ./...); do \
		for target in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
			echo "$$pkg $$target"; $(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $${FUZZTIME:-30s} -fuzzminimizetime 10x $$pkg || exit 1; \
		done; \
	done

clean: ## remove what make build made
	rm -f nudge
