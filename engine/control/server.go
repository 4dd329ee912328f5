package control

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"nudge/engine"
)

// Server answers commands in the name of an Operator.
type Server struct {
	Operator engine.Operator
	Log      *slog.Logger

	// Failed is told of every error that is not an answer for a person; nil
	// tells nobody.
	Failed func(error)
}

// farewell is how long an answer under way may take once the daemon ends.
const farewell = 500 * time.Millisecond

// Serve answers on a listener from Listen until ctx is done, then lets answers
// under way finish for half a second, and closes the listener. The error is
// nil unless listening itself went wrong.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	server := &http.Server{
		Handler:           s.routes(),
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ErrorLog:          slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       time.Minute,
		WriteTimeout:      5 * time.Minute,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
	}
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
		defer cancel()
		if server.Shutdown(patience) != nil {
			_ = server.Close()
		}
	})
	err := server.Serve(l)
	if stop() { // listening failed by itself
		_ = server.Close()
		return err
	}
	<-ended
	return nil
}

// routes is the table of what can be asked.
func (s *Server) routes() http.Handler {
	op := s.Operator
	mux := http.NewServeMux()
	answer(s, mux, pathEnroll, op.Enroll)
	answer(s, mux, pathImport, op.Import)
	answer(s, mux, pathList, op.List)
	answer(s, mux, pathShow, func(ctx context.Context, q person) (engine.Story, error) { return op.Show(ctx, q.Address) })
	answer(s, mux, pathSentTouches, func(ctx context.Context, q person) ([]engine.SentTouch, error) { return op.SentTouches(ctx, q.Address) })
	answer(s, mux, pathStatus, func(ctx context.Context, _ nothing) (engine.Status, error) { return op.Status(ctx) })
	answer(s, mux, pathLog, func(ctx context.Context, q page) ([]engine.Event, error) { return op.Log(ctx, q.After, q.Limit) })
	answer(s, mux, pathStop, func(ctx context.Context, q person) ([]engine.View, error) {
		return op.Stop(ctx, q.Address, q.Sequence)
	})
	answer(s, mux, pathAct, op.Act)
	answer(s, mux, pathPlan, op.Plan)
	answer(s, mux, pathToday, func(ctx context.Context, _ nothing) (engine.Agenda, error) { return op.Today(ctx) })
	answer(s, mux, pathPause, op.Pause)
	answer(s, mux, pathResume, op.Resume)
	answer(s, mux, pathDoubts, func(ctx context.Context, _ nothing) ([]engine.Doubt, error) { return op.Doubts(ctx) })
	answer(s, mux, pathResolve, func(ctx context.Context, q resolution) (engine.View, error) {
		return op.ResolveDoubt(ctx, q.Enrollment, q.Verdict)
	})
	answer(s, mux, pathNotAReply, op.NotAReply)
	answer(s, mux, pathWhy, func(ctx context.Context, q person) ([]engine.Explanation, error) { return op.Why(ctx, q.Address) })
	answer(s, mux, pathSuppress, op.Suppress)
	answer(s, mux, pathSuppressions, func(ctx context.Context, _ nothing) ([]engine.Suppression, error) { return op.Suppressions(ctx) })
	answer(s, mux, pathCatchUp, op.CatchUp)
	answer(s, mux, pathBackup, func(ctx context.Context, q file) (engine.BackupResult, error) { return op.Backup(ctx, q.Path) })
	answer(s, mux, pathVerify, func(ctx context.Context, _ nothing) ([]string, error) { return op.Verify(ctx) })
	answer(s, mux, pathReload, op.Reload)
	return mux
}

// answer adds one question to the table.
func answer[Q, A any](s *Server, mux *http.ServeMux, path string, do func(context.Context, Q) (A, error)) {
	mux.HandleFunc("POST "+path, func(w http.ResponseWriter, r *http.Request) {
		limit := int64(maxBody)
		if path == pathImport {
			limit = maxImport
		}
		if isLong(path) {
			_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(longPatience))
		}
		var q Q
		if err := read(http.MaxBytesReader(w, r.Body, limit), &q); err != nil {
			s.write(w, http.StatusBadRequest, wireError{What: "the request makes no sense to this daemon: " + err.Error()})
			return
		}
		a, err := do(r.Context(), q)
		if err != nil {
			refused := toWire(err)
			status := http.StatusUnprocessableEntity
			if refused.Is == "" {
				status = http.StatusInternalServerError
				s.Log.Error("request failed", "path", path, "err", err)
				if s.Failed != nil {
					defer s.Failed(err) // once it was answered
				}
			}
			s.write(w, status, refused)
			return
		}
		s.write(w, http.StatusOK, a)
	})
}

// read decodes a request that is exactly one JSON value without surprises.
func read(r io.Reader, q any) error {
	d := json.NewDecoder(r)
	d.DisallowUnknownFields()
	if err := d.Decode(q); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows it")
	}
	return nil
}

func (s *Server) write(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(value); err != nil {
		s.Log.Debug("answer not delivered", "err", err)
	}
}
