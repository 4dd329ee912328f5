package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"syscall"
	"time"

	"nudge/engine"
)

// How long one call may take as a whole. The long ones are an import of some
// 100,000 rows, a thousand to a transaction, and those that read the whole
// state: a backup, which also writes it, and a verification.
const (
	answerPatience = 10 * time.Second
	longPatience   = 10 * time.Minute
)

// Client is an Operator over a running daemon. It keeps no connection between
// calls, so there is nothing to close. A call that takes longer than ten
// seconds, a long one (Import, Plan, Reload, Backup, Verify) longer than ten minutes, ends
// with ErrSilent.
type Client struct {
	path     string
	http     *http.Client
	patience time.Duration // of all but the long ones
}

var _ engine.Operator = (*Client)(nil)

// Dial finds the daemon behind a socket. It takes at most 2 s; ErrNotRunning
// when nothing listens, ErrSilent when what listens takes no calls any more,
// another error when something is there that must not or cannot be talked to.
func Dial(path string) (*Client, error) {
	conn, err := net.DialTimeout("unix", path, dialPatience)
	if err != nil {
		return nil, dialError(path, err)
	}
	_ = conn.Close()
	if err := checkOwner(path); err != nil {
		return nil, err
	}
	var dialer net.Dialer
	return &Client{path: path, patience: answerPatience, http: &http.Client{Transport: &http.Transport{
		DisableKeepAlives:  true,
		DisableCompression: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", path)
		},
	}}}, nil
}

func dialError(path string, err error) error {
	switch {
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return ErrNotRunning
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded), errors.Is(err, syscall.EAGAIN): // its queue of calls is full
		return &silence{path}
	}
	return fmt.Errorf("control socket: %w", err)
}

// Enroll implements engine.Operator.
func (c *Client) Enroll(ctx context.Context, req engine.EnrollRequest) (engine.View, error) {
	return ask[engine.View](ctx, c, pathEnroll, req)
}

// Import implements engine.Operator.
func (c *Client) Import(ctx context.Context, req engine.ImportRequest) (engine.ImportResult, error) {
	return ask[engine.ImportResult](ctx, c, pathImport, req)
}

// List implements engine.Operator.
func (c *Client) List(ctx context.Context, f engine.Filter) ([]engine.View, error) {
	return ask[[]engine.View](ctx, c, pathList, f)
}

// Show implements engine.Operator.
func (c *Client) Show(ctx context.Context, address string) (engine.Story, error) {
	return ask[engine.Story](ctx, c, pathShow, person{Address: address})
}

// SentTouches implements engine.Operator.
func (c *Client) SentTouches(ctx context.Context, address string) ([]engine.SentTouch, error) {
	return ask[[]engine.SentTouch](ctx, c, pathSentTouches, person{Address: address})
}

// Status implements engine.Operator.
func (c *Client) Status(ctx context.Context) (engine.Status, error) {
	return ask[engine.Status](ctx, c, pathStatus, nothing{})
}

// Log implements engine.Operator.
func (c *Client) Log(ctx context.Context, after uint64, limit int) ([]engine.Event, error) {
	return ask[[]engine.Event](ctx, c, pathLog, page{after, limit})
}

// Stop implements engine.Operator.
func (c *Client) Stop(ctx context.Context, address, sequence string) ([]engine.View, error) {
	return ask[[]engine.View](ctx, c, pathStop, person{address, sequence})
}

// Act implements engine.Operator.
func (c *Client) Act(ctx context.Context, req engine.ActRequest) (engine.View, error) {
	return ask[engine.View](ctx, c, pathAct, req)
}

// Today implements engine.Operator.
func (c *Client) Today(ctx context.Context) (engine.Agenda, error) {
	return ask[engine.Agenda](ctx, c, pathToday, nothing{})
}

// Plan implements engine.Operator.
func (c *Client) Plan(ctx context.Context, req engine.PlanRequest) (engine.PlanResult, error) {
	return ask[engine.PlanResult](ctx, c, pathPlan, req)
}

// Pause implements engine.Operator.
func (c *Client) Pause(ctx context.Context, scope engine.Scope) (int, error) {
	return ask[int](ctx, c, pathPause, scope)
}

// Resume implements engine.Operator.
func (c *Client) Resume(ctx context.Context, scope engine.Scope) (int, error) {
	return ask[int](ctx, c, pathResume, scope)
}

// Doubts implements engine.Operator.
func (c *Client) Doubts(ctx context.Context) ([]engine.Doubt, error) {
	return ask[[]engine.Doubt](ctx, c, pathDoubts, nothing{})
}

// ResolveDoubt implements engine.Operator.
func (c *Client) ResolveDoubt(ctx context.Context, enrollment string, verdict engine.DoubtVerdict) (engine.View, error) {
	return ask[engine.View](ctx, c, pathResolve, resolution{enrollment, verdict})
}

// NotAReply implements engine.Operator.
func (c *Client) NotAReply(ctx context.Context, req engine.NotAReplyRequest) (engine.NotAReplyResult, error) {
	return ask[engine.NotAReplyResult](ctx, c, pathNotAReply, req)
}

// Why implements engine.Operator.
func (c *Client) Why(ctx context.Context, address string) ([]engine.Explanation, error) {
	return ask[[]engine.Explanation](ctx, c, pathWhy, person{Address: address})
}

// Suppress implements engine.Operator.
func (c *Client) Suppress(ctx context.Context, req engine.SuppressRequest) (engine.SuppressResult, error) {
	return ask[engine.SuppressResult](ctx, c, pathSuppress, req)
}

// Suppressions implements engine.Operator.
func (c *Client) Suppressions(ctx context.Context) ([]engine.Suppression, error) {
	return ask[[]engine.Suppression](ctx, c, pathSuppressions, nothing{})
}

// CatchUp implements engine.Operator.
func (c *Client) CatchUp(ctx context.Context, req engine.CatchUpRequest) (engine.CatchUpResult, error) {
	return ask[engine.CatchUpResult](ctx, c, pathCatchUp, req)
}

// Backup implements engine.Operator. The daemon writes the copy, so a relative
// path is relative to where it was started: name an absolute one.
func (c *Client) Backup(ctx context.Context, path string) (engine.BackupResult, error) {
	return ask[engine.BackupResult](ctx, c, pathBackup, file{path})
}

// Verify implements engine.Operator.
func (c *Client) Verify(ctx context.Context) ([]string, error) {
	return ask[[]string](ctx, c, pathVerify, nothing{})
}

// Reload implements engine.Operator.
func (c *Client) Reload(ctx context.Context, req engine.ReloadRequest) (engine.ReloadResult, error) {
	return ask[engine.ReloadResult](ctx, c, pathReload, req)
}

// ask is one request and its answer.
func ask[A any](ctx context.Context, c *Client, path string, q any) (A, error) {
	var a A
	body, err := json.Marshal(q)
	if err != nil {
		return a, err
	}
	if len(body) > maxBody && path != pathImport || len(body) > maxImport {
		return a, &engine.RefusalError{Err: engine.ErrInvalid, What: fmt.Sprintf("the request is too large (%d MB)", len(body)>>20), Hint: "split it"}
	}
	patience := c.patience
	if isLong(path) {
		patience = longPatience
	}
	ctx, cancel := context.WithTimeoutCause(ctx, patience, &silence{c.path})
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://nudge"+path, bytes.NewReader(body))
	if err != nil {
		return a, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.http.Do(req)
	if err != nil {
		return a, c.callError(ctx, err)
	}
	defer resp.Body.Close()
	answer := json.NewDecoder(resp.Body)
	switch resp.StatusCode {
	case http.StatusOK:
		if err := answer.Decode(&a); err != nil {
			return a, c.callError(ctx, err)
		}
		return a, nil
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		return a, errors.New("the running daemon is another version of nudge and does not know this; restart it")
	}
	var refused wireError
	if err := answer.Decode(&refused); err != nil {
		return a, c.callError(ctx, err)
	}
	return a, fromWire(refused)
}

// callError says whether the daemon was gone before the call, went away in the
// middle of it, or did not answer. ctx ends with our patience or the caller's.
func (c *Client) callError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		return dialError(c.path, err)
	}
	return fmt.Errorf("%w: %w", ErrGone, err)
}
