package control

import (
	"errors"
	"fmt"

	"nudge/engine"
)

// The paths, one for each method of engine.Operator.
const (
	pathEnroll  = "/v1/enroll"
	pathImport  = "/v1/import"
	pathList    = "/v1/list"
	pathShow    = "/v1/show"
	pathStatus  = "/v1/status"
	pathLog     = "/v1/log"
	pathStop    = "/v1/stop"
	pathPause   = "/v1/pause"
	pathResume  = "/v1/resume"
	pathDoubts  = "/v1/doubts"
	pathResolve = "/v1/resolve"
	pathReload  = "/v1/reload"

	pathSentTouches  = "/v1/sent"
	pathSuppress     = "/v1/suppress"
	pathSuppressions = "/v1/suppressions"
	pathCatchUp      = "/v1/catchup"
	pathNotAReply    = "/v1/not-a-reply"
	pathWhy          = "/v1/why"
	pathAct          = "/v1/act"
	pathPlan         = "/v1/plan"
	pathToday        = "/v1/today"
	pathBackup       = "/v1/backup"
	pathVerify       = "/v1/verify"
)

// isLong says whether a method may take minutes.
func isLong(path string) bool {
	return path == pathImport || path == pathBackup || path == pathVerify || path == pathPlan || path == pathReload
}

const (
	maxBody   = 1 << 20   // bytes of a request
	maxImport = 128 << 20 // bytes of an import
)

// nothing is the request of a method that asks for no values.
type nothing struct{}

// person names an address, in one sequence when that is not "".
type person struct {
	Address  string `json:"address"`
	Sequence string `json:"sequence,omitempty"`
}

// page names a part of the log.
type page struct {
	After uint64 `json:"after"`
	Limit int    `json:"limit"`
}

// file names a file on the daemon's machine, by its absolute path.
type file struct {
	Path string `json:"path"`
}

// resolution is a person's answer to a doubt.
type resolution struct {
	Enrollment string              `json:"enrollment"`
	Verdict    engine.DoubtVerdict `json:"verdict"`
}

// sentinels are the errors that keep their identity across the wire.
var sentinels = []struct {
	name string
	err  error
}{
	{"invalid", engine.ErrInvalid},
	{"broken", engine.ErrBroken},
	{"not_found", engine.ErrNotFound},
	{"suppressed", engine.ErrSuppressed},
	{"enrolled", engine.ErrEnrolled},
	{"ended", engine.ErrEnded},
}

// wireError is an error on the wire. Is names a sentinel, or is "".
type wireError struct {
	Is   string `json:"is,omitempty"`
	What string `json:"what"`
	Hint string `json:"hint,omitempty"`
}

func toWire(err error) wireError {
	w := wireError{What: err.Error()}
	if refusal, ok := errors.AsType[*engine.RefusalError](err); ok {
		w.What, w.Hint = refusal.What, refusal.Hint
	}
	for _, s := range sentinels {
		if errors.Is(err, s.err) {
			w.Is = s.name
			break
		}
	}
	return w
}

// fromWire gives back what toWire was given, as far as callers can tell: a
// sentinel keeps its identity, and words for a person stay as they are.
func fromWire(w wireError) error {
	for _, s := range sentinels {
		if s.name == w.Is {
			return &engine.RefusalError{Err: s.err, What: w.What, Hint: w.Hint}
		}
	}
	return fmt.Errorf("the daemon answered: %s", w.What)
}
