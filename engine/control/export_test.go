package control

import "time"

// DialError is what a client says of a connection that could not be made.
var DialError = dialError

// SetPatience shortens how long a client waits, for tests.
func (c *Client) SetPatience(d time.Duration) { c.patience = d }
